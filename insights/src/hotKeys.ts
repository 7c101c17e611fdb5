import { setTimeout as wait } from "node:timers/promises";
import { ADMIN_PREFIX } from "@property-search/contract";
import type { HotKey } from "./analysis/report.ts";

export interface AdminPort {
    /** Base URL without a path. */
    readonly url: string;
    readonly token: string;
}

const LIMIT = 20;
const TIMEOUT_MILLISECONDS = 10_000;
/** In the first seconds of a pod, its network policies may not be in force yet, and nothing answers it. */
const RETRIES = 5;
const RETRY_MILLISECONDS = 2_000;

/**
 * Reads the most requested keys of one pod from its admin port. Of several pods, such as one of each colour, it is the one
 * with the most requests.
 *
 * @returns the reason if they cannot be read: the report does not depend on them
 */
export async function readHotKeys(
    ports: readonly AdminPort[],
): Promise<readonly HotKey[] | string> {
    const answers = await Promise.all(ports.map((port) => readPod(port)));
    const [busiest] = answers
        .filter((answer) => typeof answer !== "string")
        .sort((one, other) => totalOf(other) - totalOf(one));
    return busiest ?? answers[0] ?? "no admin port was given (--admin)";
}

function totalOf(keys: readonly HotKey[]): number {
    return keys.reduce((sum, { requests }) => sum + requests, 0);
}

async function readPod(port: AdminPort, retries = RETRIES): Promise<readonly HotKey[] | string> {
    try {
        const response = await fetch(
            `${port.url.replace(/\/+$/, "")}${ADMIN_PREFIX}/hot-keys?limit=${LIMIT}`,
            {
                headers: { authorization: `Bearer ${port.token}` },
                redirect: "error",
                signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
            },
        );
        if (!response.ok) return `the admin port responded with ${response.status}`;
        const keys: unknown = await response.json();
        return Array.isArray(keys) && keys.every(isHotKey)
            ? keys.map(({ key, tenant, requests }) => ({ key, tenant, requests }))
            : "the admin port's answer is not a list of keys";
    } catch {
        if (retries === 0) return "the admin port does not answer";
        await wait(RETRY_MILLISECONDS);
        return readPod(port, retries - 1);
    }
}

function isHotKey(one: unknown): one is HotKey {
    const { key, tenant, requests } = (one ?? {}) as Partial<Record<keyof HotKey, unknown>>;
    return typeof key === "string" && typeof tenant === "string" && typeof requests === "number";
}
