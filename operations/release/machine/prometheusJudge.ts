import { JOBS } from "@property-search/contract";
import type { Clock } from "../clock.ts";
import { DEFAULT_LIMITS, type Limits } from "../../judge/limits.ts";
import { observe } from "../../judge/judge.ts";
import { prometheusEvidence, type Ask } from "../../judge/prometheus.ts";
import type { Judge } from "./ports.ts";

/** Judges by what the platform's Prometheus has seen. */
export function prometheusJudge(ask: Ask, clock: Clock, limits: Limits = DEFAULT_LIMITS): Judge {
    // Asked once: what vanishes later is missing, and not what never was there.
    let gateway: boolean | undefined;
    return {
        look: async ({ candidate, active, since, plan }) => {
            // Where nobody answers this, nobody answers what follows either, which is then no data.
            gateway ??= await watchesGateway(ask).catch(() => undefined);
            const evidence = prometheusEvidence({ ask, limits, gateway: gateway ?? true });
            const window = { since: since / 1000, now: clock.now() / 1000 };
            const { samples: minimumRequests, restarts, steps } = plan;
            // Its steps below 100 %, and the bake, are judged one by one.
            const own = { ...limits, minimumRequests, restarts, windows: steps.length };
            return observe(evidence, window, { candidate, active }, own);
        },
    };
}

/** Four scrapes: Prometheus itself shows a target that it no longer has for five minutes, after a restart. */
const RECENT = "1m";

/** A stack may have a gateway that Prometheus does not reach, or no longer. */
async function watchesGateway(ask: Ask): Promise<boolean> {
    const query = `last_over_time(up{job="${JOBS.gateway}"}[${RECENT}])`;
    const { data } = (await ask("/api/v1/query", { query })) as { data: { result: unknown[] } };
    return data.result.length > 0;
}
