import { METRICS, NAMESPACES } from "@property-search/contract";
import {
    DEFAULT_THRESHOLDS,
    type AlertThresholds,
} from "../../../components/monitoring/alerts/index.ts";
import type { Case } from "../../support/monitoring/cases.ts";
import { counter, gauge, STALE, RESET } from "../../support/monitoring/samples.ts";

/** An hour instead of a day, of which half an hour must be there. */
export const COST_THRESHOLDS: AlertThresholds = {
    ...DEFAULT_THRESHOLDS,
    savingsWindowHours: 1,
    savingsDataHours: 0.5,
};

/** Converts dollars per 30 days to dollars per second; the first minutes of a rate are low. */
const aMonth = (dollars: number) => dollars / (30 * 24 * 3600);
const LABELS = `colour="all",namespace="${NAMESPACES.edge}",service="embedding-service"`;

function books(args: {
    readonly saved: Parameters<typeof counter>[0];
    readonly renewals?: number;
    readonly podsPerHour?: number;
    readonly lookups?: number;
}): Record<string, string> {
    const { saved, renewals = 0, podsPerHour = 0, lookups = 1 } = args;
    const cost = (purpose: string) =>
        `${METRICS.costBilled}{colour="blue",tenant="t",purpose="${purpose}"}`;
    return {
        [`${METRICS.costSaved}{colour="blue",tenant="t",result="hit_l1"}`]: counter(saved),
        [cost("request")]: counter([[aMonth(1000), 300]]),
        [cost("refresh")]: counter([[aMonth(renewals), 300]]),
        [`${METRICS.overheadRate}{colour="blue",pod="a",kind="pod"}`]: gauge([[podsPerHour, 300]]),
        [`${METRICS.overheadRate}{colour="blue",pod="a",kind="storage"}`]: gauge([[0, 300]]),
        [`${METRICS.lookups}{colour="blue",result="hit_l1"}`]: counter([[lookups, 300]]),
    };
}

export const COST_CASES: Readonly<Record<string, readonly Case[]>> = {
    CostSavingsTargetMissed: [
        {
            why: "fires once there are enough data and after its time, and resolves",
            series: books({
                saved: [
                    [aMonth(95), 60],
                    [aMonth(200), 120],
                ],
            }),
            at: { "20m": [], "34m": [], "36m": [LABELS], "59m": [LABELS], "80m": [], "120m": [] },
        },
        {
            why: "a target just met is met",
            series: books({ saved: [[aMonth(115), 180]] }),
            at: { "20m": [], "40m": [], "120m": [] },
        },
        {
            why: "a good beginning does not hide that the savings ended",
            series: books({
                saved: [
                    [aMonth(1000), 120],
                    [0, 120],
                ],
            }),
            at: { "119m": [], "230m": [LABELS] },
        },
        {
            why: "restarted pods lose no savings",
            series: books({
                saved: [[aMonth(115), 60], RESET, [aMonth(115), 60], RESET, [aMonth(115), 60]],
            }),
            at: { "61m": [], "70m": [], "121m": [], "130m": [] },
        },
        {
            why: "an unused service saves nothing and does not fire",
            series: books({ saved: [[0, 180]], lookups: 0 }),
            at: { "40m": [], "120m": [] },
        },
        {
            why: "what the pods cost is not saved",
            series: books({ saved: [[aMonth(115), 180]], podsPerHour: 0.05 }),
            at: { "40m": [LABELS] },
        },
        {
            why: "what renewals cost is not saved",
            series: books({ saved: [[aMonth(115), 180]], renewals: 30 }),
            at: { "40m": [LABELS] },
        },
        {
            why: "does not outlive its series by more than the data it needs",
            series: books({ saved: [[aMonth(50), 60], STALE] }),
            at: { "59m": [LABELS], "100m": [] },
        },
    ],
};
