import { Agent, request } from "node:http";

export interface LoadOptions {
    readonly url: string;
    readonly path: string;
    /** Bodies sent in turn, as JSON. */
    readonly bodies: readonly unknown[];
    /** Connections, each with one open request at a time. */
    readonly connections: number;
    /** Upper bound on requests; the load ends by itself when it is reached. */
    readonly maxRequests: number;
    /** Upper bound on the duration in seconds, likewise. */
    readonly maxSeconds: number;
    readonly keepAlive: boolean;
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
}

const REQUEST_TIMEOUT_MILLISECONDS = 20_000;

/** Starts a closed-loop load that is bounded in count and time and retries nothing. */
export function startLoad(options: LoadOptions): Load {
    const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: options.connections });
    const deadline = Date.now() + options.maxSeconds * 1000;
    const failures: string[] = [];
    let sent = 0;
    let answered = 0;
    let stopped = false;

    async function connection(): Promise<void> {
        while (!stopped && sent < options.maxRequests && Date.now() < deadline) {
            const body = options.bodies[sent % options.bodies.length];
            sent += 1;
            const outcome = await send(new URL(options.path, options.url), agent, body);
            if (outcome === undefined) answered += 1;
            else failures.push(outcome);
        }
    }

    const finished = Promise.all(Array.from({ length: options.connections }, connection));
    return {
        answered: () => answered,
        stop: async () => {
            stopped = true;
            await finished;
            agent.destroy();
            return { answered, failures };
        },
    };
}

/** @returns what went wrong, or undefined after a whole answer with status 200. */
function send(url: URL, agent: Agent, body: unknown): Promise<string | undefined> {
    return new Promise((resolve) => {
        const headers = { "content-type": "application/json" };
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
