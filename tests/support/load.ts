import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface LoadOptions {
    readonly url: string;
    readonly path: string;
    /** Bodies sent in turn, as JSON; or the body of the request with this number. */
    readonly bodies: readonly unknown[] | ((number: number) => unknown);
    /** Connections, each with one open request at a time. */
    readonly connections: number;
    /**
     * Requests that arrive a second, evenly, whether or not earlier ones are answered. Default: each
     * connection sends the next one as soon as it has its answer.
     */
    readonly perSecond?: number;
    /** Maximum number of requests, after which the load ends. */
    readonly maxRequests: number;
    /** Upper bound on the duration in seconds, likewise. */
    readonly maxSeconds: number;
    readonly keepAlive: boolean;
    /** Headers of each request, besides the type of its body. */
    readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
    readonly answered: number;
    /** What went wrong, one entry for each request that got no 200. */
    readonly failures: readonly string[];
}

export interface Load {
    /** Ends the load after the open requests. */
    stop: () => Promise<LoadResult>;
    /** Requests answered so far. */
    answered: () => number;
    /** 95th percentile of the latency over the last seconds, from the scheduled start. */
    p95: (lastSeconds: number) => number;
}

const REQUEST_TIMEOUT_MILLISECONDS = 20_000;

/** Starts a load that is bounded in count and time and retries nothing. */
export function startLoad(options: LoadOptions): Load {
    const { url, path, bodies, connections, perSecond, keepAlive } = options;
    const headers = { "content-type": "application/json", ...options.headers };
    const agent = new Agent({ keepAlive, maxSockets: connections });
    const deadline = Date.now() + options.maxSeconds * 1000;
    const failures: string[] = [];
    const answers: { readonly at: number; readonly seconds: number }[] = [];
    let sent = 0;
    let stopped = false;

    const over = () => stopped || sent >= options.maxRequests || Date.now() >= deadline;

    async function next(due: number): Promise<void> {
        const body = typeof bodies === "function" ? bodies(sent) : bodies[sent % bodies.length];
        sent += 1;
        const outcome = await send(new URL(path, url), agent, headers, body);
        const at = Date.now();
        if (outcome === undefined) answers.push({ at, seconds: (at - due) / 1000 });
        else failures.push(outcome);
    }

    async function connection(): Promise<void> {
        while (!over()) await next(Date.now());
    }

    async function arrivals(rate: number): Promise<void> {
        const open = new Set<Promise<void>>();
        const start = Date.now();
        while (!over()) {
            const due = start + (sent * 1000) / rate;
            await delay(Math.max(0, due - Date.now()));
            const request = next(due).finally(() => open.delete(request));
            open.add(request);
        }
        await Promise.all(open);
    }

    const finished =
        perSecond === undefined
            ? Promise.all(Array.from({ length: connections }, connection))
            : arrivals(perSecond);
    return {
        answered: () => answers.length,
        p95: (lastSeconds) => {
            const from = Date.now() - lastSeconds * 1000;
            const recent = answers.filter(({ at }) => at >= from).map(({ seconds }) => seconds);
            recent.sort((one, other) => one - other);
            return recent[Math.ceil(recent.length * 0.95) - 1] ?? NaN;
        },
        stop: async () => {
            stopped = true;
            await finished;
            agent.destroy();
            return { answered: answers.length, failures };
        },
    };
}

/** @returns what went wrong, or undefined after a whole answer with status 200. */
function send(
    url: URL,
    agent: Agent,
    headers: Readonly<Record<string, string>>,
    body: unknown,
): Promise<string | undefined> {
    return new Promise((resolve) => {
        const sending = request(url, { agent, method: "POST", headers }, (response) => {
            response.on("error", (error) => {
                resolve(`answer cut off: ${error.message}`);
            });
            response.on("end", () => {
                resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`);
            });
            response.resume();
        });
        sending.setTimeout(REQUEST_TIMEOUT_MILLISECONDS, () => {
            sending.destroy(new Error("timed out"));
        });
        sending.on("error", (error) => {
            resolve(error.message);
        });
        sending.end(JSON.stringify(body));
    });
}
