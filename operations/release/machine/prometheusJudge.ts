import { JOBS } from "@property-search/contract";
import type { Clock } from "../clock.ts";
import { DEFAULT_LIMITS, type Limits } from "../../judge/limits.ts";
import { analyze } from "../../judge/judge.ts";
import { prometheusEvidence, type Query } from "../../judge/prometheus.ts";
import type { Judge } from "./ports.ts";

/** Judge that uses the platform's Prometheus. */
export function prometheusJudge(
    query: Query,
    clock: Clock,
    limits: Limits = DEFAULT_LIMITS,
): Judge {
    // Checked once: a gateway that disappears later counts as missing data.
    let gateway: boolean | undefined;
    return {
        analyze: async ({ candidate, active, since, plan }) => {
            // If this query fails, the next one fails too and the result is inconclusive.
            gateway ??= await isGatewayScraped(query).catch(() => undefined);
            const evidence = prometheusEvidence({ query, limits, gateway: gateway ?? true });
            const window = { since: since / 1000, now: clock.now() / 1000 };
            const { minRequests: minimumRequests, maxRestarts, steps } = plan;
            // Each step below 100 % and the bake are one window.
            const own = {
                ...limits,
                minimumRequests,
                restarts: maxRestarts,
                windows: steps.length,
            };
            return analyze(evidence, window, { candidate, active }, own);
        },
    };
}

/** Four scrapes: after a restart, Prometheus shows a removed target for five minutes. */
const RECENT = "1m";

/** A stack may have a gateway that Prometheus does not scrape. */
async function isGatewayScraped(queryPrometheus: Query): Promise<boolean> {
    const query = `last_over_time(up{job="${JOBS.gateway}"}[${RECENT}])`;
    const { data } = (await queryPrometheus("/api/v1/query", { query })) as {
        data: { result: unknown[] };
    };
    return data.result.length > 0;
}
