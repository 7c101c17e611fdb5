import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { TRAFFIC_WEIGHT } from "@property-search/contract";
import { statPanel } from "./panels.ts";
import { query } from "./queries.ts";
import { UNITS } from "./units.ts";

/** Percentage of the traffic that the route sends to each colour. */
export const WEIGHTS = query(`max by (colour) (${TRAFFIC_WEIGHT})`, "{{colour}}");

/** First panel of the dashboards that depend on which colour is active. */
export function trafficSplitPanel(width: number): Builder<Panel> {
    return statPanel({
        id: 1,
        title: "Traffic split",
        description: "Percentage of the traffic that the route sends to each colour.",
        unit: UNITS.percent,
        width,
        queries: [WEIGHTS],
    });
}
