import { ClusterError } from "./connect.ts";
import type { Get } from "./forwardedService.ts";

interface Answer<Data> {
    readonly status: "success" | "error";
    readonly error?: string;
    readonly data?: Data;
}

/** Value of a series. */
export interface Sample {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: number;
}

/**
 * Calls Prometheus' HTTP API.
 *
 * @param path below `/api/v1/`
 * @throws ClusterError with Prometheus' message, such as for an invalid query
 */
export async function askPrometheus<Data>(
    get: Get,
    path: string,
    parameters: Readonly<Record<string, string>> = {},
): Promise<Data> {
    const call = `${path}?${new URLSearchParams(parameters).toString()}`;
    const answer = (await get(`/api/v1/${call}`)) as Answer<Data>;
    if (answer.status === "success" && answer.data) return answer.data;
    throw new ClusterError(`Prometheus: ${answer.error ?? "no answer"}: ${call}`);
}

/** Values of an expression now, one per series. */
export async function readSamples(get: Get, query: string): Promise<readonly Sample[]> {
    const { result } = await askPrometheus<{
        result: readonly {
            metric: Sample["metric"];
            value: readonly [time: number, value: string];
        }[];
    }>(get, "query", { query });
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
}

/** The value of an expression with one series. @throws ClusterError if it has none */
export async function readValue(get: Get, query: string): Promise<number> {
    const [sample] = await readSamples(get, query);
    if (sample) return sample.value;
    throw new ClusterError(`Prometheus has no value of ${query}`);
}
