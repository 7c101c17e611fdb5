import {
    ADMIN_PATHS,
    ADMIN_PREFIX,
    UserError,
    type RuntimeSettingsState,
} from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import type { AdminPort } from "../hotKeys.ts";
import { TUNER, type Values } from "./decide.ts";

/** The run-time settings of the service, by any of its pods. */
export interface SettingsPort {
    /** @throws UserError if no pod answers */
    readonly read: () => Promise<RuntimeSettingsState>;
    /**
     * @param version that follows the one that was read
     * @throws UserError with the service's reason
     */
    readonly change: (version: number, values: Values, reason: string) => Promise<void>;
    readonly get: (path: string) => Promise<unknown>;
    /**
     * Asks a pod of each colour, any one in each call.
     *
     * @throws AdminError, UserError if none answers
     */
    readonly getEach: (path: string) => Promise<readonly unknown[]>;
    readonly put: (path: string, body: unknown) => Promise<unknown>;
}

/** The service has rejected a request; another pod would, too. */
export class AdminError extends UserError {
    override readonly name = "AdminError";
    /** Code of the service's error. */
    readonly code: string | undefined;

    constructor(message: string, code: string | undefined) {
        super(message);
        this.code = code;
    }
}

const TIMEOUT_MILLISECONDS = 10_000;
/** In the first seconds of a pod, its network policies may not be in force yet, and nothing answers it. */
const RETRY_MILLISECONDS = [1_000, 3_000, 6_000];
const MAX_REASON = 500;

/** @param ports of several colours: one of them may have no pods, or an older version */
export function createSettingsPort(
    ports: readonly AdminPort[],
    retryMilliseconds = RETRY_MILLISECONDS,
): SettingsPort {
    async function call(method: "GET" | "PUT", path: string, body?: unknown): Promise<unknown> {
        for (let attempt = 0; ; attempt += 1) {
            let problem = "";
            for (const port of ports) {
                const answer = await send(port, method, path, body);
                if (typeof answer !== "string") return answer.json;
                problem = answer;
            }
            const wait = retryMilliseconds[attempt];
            // A change whose answer was lost may have been made: the caller compares versions.
            if (wait === undefined || method === "PUT") throw new UserError(problem);
            await delay(wait);
        }
    }

    return {
        read: async () => (await call("GET", ADMIN_PATHS.settings)) as RuntimeSettingsState,
        change: async (version, values, reason) => {
            const shown =
                reason.length <= MAX_REASON ? reason : `${reason.slice(0, MAX_REASON - 1)}…`;
            const body = { version, actor: TUNER, reason: shown, settings: values };
            await call("PUT", ADMIN_PATHS.settings, body);
        },
        get: (path) => call("GET", path),
        getEach: async (path) => {
            const answers = await Promise.allSettled(
                ports.map((port) => send(port, "GET", path, undefined)),
            );
            const found = answers.flatMap((one) =>
                one.status === "fulfilled" && typeof one.value !== "string" ? [one.value.json] : [],
            );
            if (found.length > 0) return found;
            for (const one of answers) if (one.status === "rejected") throw one.reason;
            const problems = answers.flatMap((one) =>
                one.status === "fulfilled" && typeof one.value === "string" ? [one.value] : [],
            );
            throw new UserError(problems.join("; "));
        },
        put: (path, body) => call("PUT", path, body),
    };
}

/**
 * @returns the answer, or a reason to try another pod
 * @throws AdminError with the service's message: another pod would answer the same
 */
async function send(
    { url, token }: AdminPort,
    method: string,
    path: string,
    body: unknown,
): Promise<{ readonly json: unknown } | string> {
    const { host } = new URL(url);
    let status: number;
    let json: unknown;
    try {
        const response = await fetch(`${url.replace(/\/+$/, "")}${ADMIN_PREFIX}${path}`, {
            method,
            headers: {
                authorization: `Bearer ${token}`,
                "content-type": "application/json",
                // A connection that is kept would lead to the same pod each time.
                connection: "close",
            },
            redirect: "error",
            signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
            ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        ({ status } = response);
        json = await response.json();
    } catch {
        return `the admin port at ${host} does not answer`;
    }
    if (status < 300) return { json };
    const { message, code } =
        (json as { error?: { message?: unknown; code?: unknown } }).error ?? {};
    const words = typeof message === "string" ? `, ${message}` : "";
    const problem = `the admin port at ${host} responded with ${status} to ${method} ${path}${words}`;
    // A colour without traffic may run an older version, without this path.
    if (status < 500 && status !== 404)
        throw new AdminError(problem, typeof code === "string" ? code : undefined);
    return problem;
}
