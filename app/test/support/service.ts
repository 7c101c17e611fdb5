import { pino } from "pino";

import { buildApp, type App } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import type { Environment } from "../../src/settingsReader.ts";
import type { Log } from "../../src/log.ts";
import { createHttpServer } from "../../src/http/transport/server.ts";
import type { Timing } from "../../src/container.ts";

export interface Service {
    readonly url: string;
    readonly app: App;
    readonly post: (path: string, body: unknown) => Promise<Answer>;
    readonly get: (path: string, method?: string) => Promise<Answer>;
    /** Base URL of the admin port's paths; undefined without ADMIN_TOKEN. */
    readonly adminUrl: string | undefined;
    /** The same of the automation port, without AUTOMATION_TOKEN. */
    readonly automationUrl: string | undefined;
    /** Value of a metric with exactly these labels, such as `name{result="miss"}`. */
    readonly metric: (series: string) => Promise<number>;
    readonly stop: () => Promise<void>;
}

export interface Answer {
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
    readonly json: unknown;
}

export const MODEL = "stub-model";

export interface StartOptions {
    readonly log?: Log;
    readonly timing?: Timing;
}

/** The whole service in this process, on a free port, configured by environment like a pod. */
export async function startService(
    environment: Environment,
    { log = pino({ level: "silent" }), timing = {} }: StartOptions = {},
): Promise<Service> {
    const config = readConfig({
        COLOUR: "blue",
        VERSION: "v1.0.0",
        ANONYMOUS: "true",
        ...environment,
    });
    const app = await buildApp(config, log, timing);
    const server = createHttpServer(app.listener);
    const port = await server.listen(0, "127.0.0.1");
    await app.start();
    const url = `http://127.0.0.1:${port}`;
    const adminPort = await app.admin?.listen(0);
    const automationPort = await app.automation?.listen(0);
    const baseUrl = (port: number | undefined) =>
        port === undefined ? undefined : `http://127.0.0.1:${port}/admin/v1`;
    const get = async (path: string, method = "GET"): Promise<Answer> =>
        read(await fetch(url + path, { method }));
    return {
        url,
        app,
        adminUrl: baseUrl(adminPort),
        automationUrl: baseUrl(automationPort),
        get,
        post: async (path, body) =>
            read(
                await fetch(url + path, {
                    method: "POST",
                    body: typeof body === "string" ? body : JSON.stringify(body),
                }),
            ),
        metric: async (series) => {
            const { text } = await get("/metrics");
            const line = text.split("\n").find((one) => one.startsWith(`${series} `));
            if (line === undefined) throw new Error(`/metrics has no ${series}`);
            return Number(line.slice(series.length + 1));
        },
        stop: async () => {
            const limits = { quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 0 };
            await server.drain(limits);
            await app.close();
        },
    };
}

/** Environment of a service whose upstream is a stub. */
export function stubEnvironment(upstream: URL, redis?: URL): Environment {
    return {
        EMBEDDING_PROVIDER: "openai",
        EMBEDDING_MODEL: MODEL,
        UPSTREAM_URL: upstream.href,
        UPSTREAM_API_KEY: "a-key",
        REDIS_URL: redis?.href,
    };
}

export async function read(response: Response): Promise<Answer> {
    const text = await response.text();
    const isJson =
        response.headers.get("content-type")?.includes("application/json") === true && text !== "";
    return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? (JSON.parse(text) as unknown) : undefined,
    };
}
