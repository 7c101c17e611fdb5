import { JOBS } from "@property-search/contract";
import type { Clock } from "../clock.ts";
import { DEFAULT_LIMITS, type Limits } from "../../judge/limits.ts";
import { observe } from "../../judge/judge.ts";
import { prometheusEvidence, type Ask } from "../../judge/prometheus.ts";
import type { Judge } from "./ports.ts";

/** Judge that uses the platform's Prometheus. */
export function prometheusJudge(ask: Ask, clock: Clock, limits: Limits = DEFAULT_LIMITS): Judge {
    // Checked once: a gateway that disappears later counts as missing data.
    let gateway: boolean | undefined;
    return {
        look: async ({ candidate, active, since, plan }) => {
            // If this query fails, the next one fails too and the result is inconclusive.
            gateway ??= await watchesGateway(ask).catch(() => undefined);
            const evidence = prometheusEvidence({ ask, limits, gateway: gateway ?? true });
            const window = { since: since / 1000, now: clock.now() / 1000 };
            const { samples: minimumRequests, restarts, steps } = plan;
            // Each step below 100 % and the bake are one window.
            const own = { ...limits, minimumRequests, restarts, windows: steps.length };
            return observe(evidence, window, { candidate, active }, own);
        },
    };
}

/** Four scrapes: after a restart, Prometheus shows a removed target for five minutes. */
const RECENT = "1m";

/** A stack may have a gateway that Prometheus does not scrape. */
async function watchesGateway(ask: Ask): Promise<boolean> {
    const query = `last_over_time(up{job="${JOBS.gateway}"}[${RECENT}])`;
    const { data } = (await ask("/api/v1/query", { query })) as { data: { result: unknown[] } };
    return data.result.length > 0;
}
