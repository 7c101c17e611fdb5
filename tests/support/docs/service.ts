import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ADMIN_TOKEN } from "../../../app/test/support/admin.ts";
import { eventually } from "../../../app/test/support/eventually.ts";
import { modelDirectory } from "../../../app/test/support/model.ts";
import { killPods, startPod } from "../../../app/test/support/pod.ts";
import { freePort, startRedis } from "../../../app/test/support/redisServer.ts";
import { stubEnvironment } from "../../../app/test/support/service.ts";
import { startStubUpstream } from "../../../app/test/support/stubUpstream.ts";
import { startExample } from "../../../examples/property-search/test/support/example.ts";

/** Services that the commands of pages are sent to. */
export interface DocService {
    /** A folder with the files that pages send. */
    readonly folder: string;
    /** What pages call by names, by these names: the admin API, its token, and headers. */
    readonly env: Readonly<Record<"ADMIN_TOKEN" | "A" | "H" | "J" | "URL" | "ADMIN_URL", string>>;
    /** Host and port of a service with the local model, as of `make dev`. */
    readonly local: string;
    /** Host and port of the example of a property search, as of `make example`. */
    readonly example: string;
    /** Calls the admin API. @returns the body of its answer */
    readonly admin: (path: string, body?: unknown) => Promise<unknown>;
    readonly stop: () => Promise<void>;
}

/** Starts a service with Redis, an API as its upstream and semantic reuse, one with the local model, and its example. */
export async function startDocService(): Promise<DocService> {
    const folder = await mkdtemp(path.join(tmpdir(), "docs-"));
    await writeFile(path.join(folder, "texts.txt"), "two rooms\ngarden\n");
    const [redis, upstream, adminPort] = await Promise.all([
        startRedis(),
        startStubUpstream(),
        freePort(),
    ]);
    const model = modelDirectory();
    const [service, local] = await Promise.all([
        startPod({
            ...stubEnvironment(upstream.url, redis.url),
            EMBEDDING_MODEL: "all-MiniLM-L6-v2",
            SEMANTIC_MODE: "optIn",
            EXPERIMENTS: JSON.stringify([
                {
                    ...{ name: "clustering_by_user", parameter: "cacheMode", unit: "user" },
                    ...{ control: "exact", treatment: "semantic", percent: 50 },
                },
            ]),
            MODEL_DIR: model,
            ADMIN_TOKEN,
            ADMIN_PORT: String(adminPort),
        }),
        startPod({ MODEL_DIR: model, EMBEDDING_PROVIDER: "local" }),
    ]);
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    const api = `${adminUrl}/admin/v1`;
    const json = "content-type: application/json";
    const admin = async (pathname: string, body?: unknown): Promise<unknown> => {
        const response = await fetch(api + pathname, {
            method: body === undefined ? "GET" : "POST",
            headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return response.json();
    };
    // The thread of semantic reuse loads the model first.
    await eventually("semantic reuse answers", async () => {
        const answer = await admin("/semantic/inspect", { input: "two rooms" });
        return !JSON.stringify(answer).includes("semantic_unavailable");
    });
    const example = await startExample(local.url);
    await eventually("the example is ready", async () => (await fetch(`${example.url}/readyz`)).ok);
    return {
        folder,
        env: {
            ADMIN_TOKEN,
            A: api,
            H: `authorization: Bearer ${ADMIN_TOKEN}`,
            J: json,
            URL: service.url,
            ADMIN_URL: adminUrl,
        },
        local: `127.0.0.1:${local.port}`,
        example: `127.0.0.1:${example.port}`,
        admin,
        stop: async () => {
            await example.stop(0);
            killPods();
            await Promise.all([upstream.stop(), redis.kill(), rm(folder, { recursive: true })]);
        },
    };
}
