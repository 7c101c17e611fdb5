import { UserError } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";

interface Answer {
    readonly error?: string;
    readonly data?: {
        readonly result: readonly { readonly value: readonly [time: number, value: string] }[];
    };
}

/** The only value of an expression. @throws UserError if it has none */
export async function queryPrometheus(cluster: Cluster, expr: string): Promise<number> {
    const get = await prometheusAccess(cluster);
    const answer = (await get(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as Answer;
    const value = answer.data?.result[0]?.value[1];
    if (value !== undefined) return Number(value);
    throw new UserError(`Prometheus has no value of ${expr}: ${answer.error ?? "no series"}`);
}
