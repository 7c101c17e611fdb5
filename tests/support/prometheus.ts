import { MONITORING_NAMES, NAMESPACES, PORTS } from "@property-search/contract";
import { createForwardedGet } from "../../operations/cluster/forwardedService.ts";
import { askPrometheus, readSamples, type Sample } from "../../operations/cluster/prometheusApi.ts";
import type { TestCluster } from "./cluster.ts";

type Labels = Readonly<Record<string, string>>;

/** One series of a range, with the Unix times at which it has a value. */
export interface Times {
    readonly metric: Labels;
    readonly seconds: readonly number[];
}

export interface LiveAlert {
    readonly labels: Labels;
    readonly state: "pending" | "firing";
}

export interface LiveRule {
    readonly expr: string;
    /** Seconds of its `for`. */
    readonly for: number;
    readonly alerts: readonly LiveAlert[];
}

export interface LivePrometheus {
    /** @throws Error with Prometheus' message for an invalid query */
    readonly query: (expr: string) => Promise<readonly Sample[]>;
    /** Looks at each second from one Unix time to another, which are 11,000 seconds apart at most. */
    readonly timesOf: (expr: string, from: number, to: number) => Promise<readonly Times[]>;
    /** @throws Error when Prometheus has no such alert */
    readonly rule: (name: string) => Promise<LiveRule>;
}

interface Rules {
    readonly groups: readonly {
        readonly rules: readonly {
            readonly name: string;
            readonly query: string;
            readonly duration: number;
            readonly alerts: readonly LiveAlert[];
        }[];
    }[];
}

/** Prometheus of the cluster. */
export function openPrometheus(cluster: TestCluster): LivePrometheus {
    const get = createForwardedGet(cluster, {
        namespace: NAMESPACES.monitoring,
        name: MONITORING_NAMES.prometheus,
        port: PORTS.prometheus,
    });
    return {
        query: (expr) => readSamples(get, expr),
        timesOf: async (expr, from, to) => {
            const { result } = await askPrometheus<{
                result: readonly {
                    metric: Labels;
                    values: readonly (readonly [time: number, value: string])[];
                }[];
            }>(get, "query_range", {
                query: expr,
                start: String(from),
                end: String(to),
                step: "1",
            });
            return result.map(({ metric, values }) => ({
                metric,
                seconds: values.map(([time]) => time),
            }));
        },
        rule: async (name) => {
            const { groups } = await askPrometheus<Rules>(get, "rules", { type: "alert" });
            const found = groups.flatMap(({ rules }) => rules).find((rule) => rule.name === name);
            if (!found) throw new Error(`Prometheus has no alert ${name}`);
            return { expr: found.query, for: found.duration, alerts: found.alerts };
        },
    };
}
