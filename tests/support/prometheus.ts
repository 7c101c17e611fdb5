import { KubeConfig } from "@kubernetes/client-node";
import { MONITORING_NAMES, NAMESPACES, PORTS } from "@property-search/contract";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import type { TestCluster } from "./cluster.ts";

export interface Sample {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: number;
}

export interface LivePrometheus {
    /** @throws Error with Prometheus' own words, for a query that it refuses */
    readonly query: (expr: string) => Promise<readonly Sample[]>;
}

interface Answer {
    readonly status: "success" | "error";
    readonly error?: string;
    readonly data?: {
        readonly result: readonly {
            readonly metric: Readonly<Record<string, string>>;
            readonly value: readonly [time: number, value: string];
        }[];
    };
}

/** Prometheus of the cluster, by the API server's proxy: it is reachable from nowhere else. */
export function openPrometheus({ kubeconfig }: TestCluster): LivePrometheus {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const server = config.getCurrentCluster()?.server ?? "";
    const service = `${MONITORING_NAMES.prometheus}:${PORTS.prometheus}`;
    const base = `${server}/api/v1/namespaces/${NAMESPACES.monitoring}/services/${service}/proxy`;
    return {
        query: async (expr) => {
            const parameters = new URLSearchParams({ query: expr });
            const options = {};
            await config.applyToHTTPSOptions(options);
            const asking = request(`${base}/api/v1/query?${parameters.toString()}`, options);
            asking.end();
            const [response] = (await once(asking, "response")) as [IncomingMessage];
            const answer = (await json(response)) as Answer;
            if (answer.status !== "success" || !answer.data) {
                throw new Error(`Prometheus: ${answer.error ?? "no answer"}: ${expr}`);
            }
            return answer.data.result.map(({ metric, value: [, value] }) => ({
                metric,
                value: Number(value),
            }));
        },
    };
}
