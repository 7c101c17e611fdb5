import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { TRAFFIC_WEIGHT } from "@property-search/contract";
import { stat } from "./panels.ts";
import { query } from "./queries.ts";
import { UNITS } from "./units.ts";

/** Percent of the traffic that the route gives each colour. */
export const WEIGHTS = query(`max by (colour) (${TRAFFIC_WEIGHT})`, "{{colour}}");

/** The first panel of whoever must know which colour it is about. */
export function whoServes(width: number): Builder<Panel> {
    return stat({
        id: 1,
        title: "Who serves",
        description: "The share of the traffic that the route gives each colour.",
        unit: UNITS.percent,
        width,
        queries: [WEIGHTS],
    });
}
