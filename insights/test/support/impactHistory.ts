import { JOBS, METRICS } from "@property-search/contract";
import { splitByBlock } from "../../../operations/test/support/prometheus.ts";
import { seededRandom } from "../../../bench/shared/random.ts";
import { firstScrape, format, simulate, STEP_SECONDS, type CountedEvent } from "./simulation.ts";

const HOUR = 3600;

/** Now, as the server of these tests sees it: a time within an hour. */
export const NOW = Date.parse("2026-11-20T10:37:20Z") / 1000;
/** The service was installed then, in the middle of an hour. */
export const INSTALLED = Date.parse("2026-11-18T05:20:00Z") / 1000;
/** Prometheus is down in this time. */
export const OUTAGE = {
    from: Date.parse("2026-11-20T02:00:00Z") / 1000,
    to: Date.parse("2026-11-20T03:30:00Z") / 1000,
};
export const RELEASED = Date.parse("2026-11-20T06:12:00Z") / 1000;

const prices = { pod: 0.004, storage: 0.02 };

export interface ImpactHistory {
    readonly parts: readonly (readonly string[])[];
    /** What Prometheus can know: not what happened between its last scrape before the outage and its first one after it. */
    readonly events: readonly CountedEvent[];
}

/**
 * Two days of a service: a release, an outage of Prometheus, and an autoscaler that adds a pod each noon.
 *
 * @param from Unix seconds; earlier samples are left out
 */
export function createImpactHistory(from = INSTALLED): ImpactHistory {
    const blue = { colour: "blue", version: "v1.4.0", overhead: prices };
    const green = { colour: "green", version: "v1.5.0", overhead: prices };
    const noons = [18, 19].map((day) => Date.parse(`2026-11-${day}T11:00:00Z`) / 1000);
    const { lines, events } = simulate(
        seededRandom(23),
        [
            { pod: "blue-a", ...blue, startedAt: from, endsAt: RELEASED + HOUR },
            { pod: "blue-b", ...blue, startedAt: from, endsAt: RELEASED + HOUR },
            { pod: "green-a", ...green, startedAt: RELEASED, endsAt: NOW + HOUR },
            { pod: "green-b", ...green, startedAt: RELEASED + 60, endsAt: NOW + HOUR },
            ...noons
                .filter((noon) => noon > from)
                .map((noon, at) => ({
                    ...blue,
                    pod: `blue-noon-${at}`,
                    startedAt: noon,
                    endsAt: noon + 3 * HOUR,
                })),
        ],
        { isUp },
    );
    return {
        parts: splitByBlock([...lines, ...platformLines(from)]),
        events: events.filter(
            ({ seconds, pod }) =>
                seconds < OUTAGE.from || seconds > firstScrape(pod, OUTAGE.to + 1),
        ),
    };
}

const isUp = (seconds: number) => seconds < OUTAGE.from || seconds > OUTAGE.to;

/** Counts of one scrape to the next, of the metrics below. */
export const FEEDBACK = { relevant: 9, irrelevant: 1 } as const;
export const MISSES = { cold: 3, expired: 2, unknown: 1 } as const;
/** The lifetime in force and the stack's, in seconds; nothing has changed the size of the memory cache. */
export const SETTINGS = { tunedTtl: 5 * 86_400, configuredTtl: 7 * 86_400, entries: 2_000 };
export const SEMANTIC = { served: 4, audited: 1 } as const;
export const BOUND = { bound: 0.013, budget: 0.02, overlap: 0.93 };
export const CPU = { limit: 4, used: 1.5 };

/** Metrics that do not need to be random, of one pod of each version, and those of the platform. */
function platformLines(from: number): readonly string[] {
    return [
        ...podLines({
            pod: "blue-a",
            colour: "blue",
            version: "v1.4.0",
            from,
            to: RELEASED + HOUR,
        }),
        ...podLines({
            pod: "green-a",
            colour: "green",
            version: "v1.5.0",
            from: RELEASED,
            to: NOW + HOUR,
        }),
    ];
}

interface PodTimes {
    readonly pod: string;
    readonly colour: string;
    readonly version: string;
    readonly from: number;
    readonly to: number;
}

function podLines({ pod, colour, version, from, to }: PodTimes): readonly string[] {
    const lines: string[] = [];
    const namespace = `property-search-${colour}`;
    const target = { job: JOBS.service, instance: `${pod}:8001`, namespace, pod, colour, version };
    const first = firstScrape(pod, from);
    for (let seconds = first; seconds < to; seconds += STEP_SECONDS) {
        if (!isUp(seconds)) continue;
        const steps = (seconds - first) / STEP_SECONDS;
        const write = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
            lines.push(`${name}${format({ ...target, ...labels })} ${value} ${seconds}`);
        const feedback = { source: "exact", tenant: "chat" };
        for (const [verdict, count] of Object.entries(FEEDBACK))
            write("embedding_feedback_total", { ...feedback, verdict }, count * steps);
        for (const [reason, count] of Object.entries(MISSES))
            write("embedding_cache_misses_total", { reason, group: "0" }, count * steps);
        for (const [outcome, count] of Object.entries(SEMANTIC))
            write(METRICS.semanticLookups, { outcome }, count * steps);
        write(METRICS.ghostDropped, {}, 0);
        const { tunedTtl, configuredTtl, entries } = SETTINGS;
        write(METRICS.settingValue, { setting: "cacheTtlSeconds", source: "tuned" }, tunedTtl);
        write(METRICS.settingConfigured, { setting: "cacheTtlSeconds" }, configuredTtl);
        const size = { setting: "localCacheMaxEntries" };
        write(METRICS.settingValue, { ...size, source: "config" }, entries);
        write(METRICS.settingConfigured, size, entries);
        write(METRICS.semanticErrorBound, { tenant: "chat" }, BOUND.bound);
        write(METRICS.semanticErrorBudget, { tenant: "chat" }, BOUND.budget);
        write("embedding_semantic_overlap", { tenant: "chat" }, BOUND.overlap);
        write(METRICS.inFlight, {}, 3 + (Math.floor(seconds / HOUR) % 5));
        write("process_cpu_seconds_total", {}, CPU.used * (seconds - first));
        const kube = { job: JOBS.kubeState, namespace, pod, resource: "cpu" };
        lines.push(`kube_pod_container_resource_limits${format(kube)} ${CPU.limit} ${seconds}`);
    }
    return lines;
}
