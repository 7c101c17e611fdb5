import type { Readable } from "node:stream";

import { Type } from "typebox";

import { HttpError } from "../../http/protocol/error.ts";
import { withUploads, type AdminRoutes } from "../server.ts";
import { JOB_STATES, type Warmups } from "../warmup/warmups.ts";
import { Failure, strict, Tenant } from "./schemas.ts";

const Count = Type.Integer({ minimum: 0 });
const Dollars = Type.Number({ minimum: 0 });

const Estimate = Type.Object({
    lines: Count,
    duplicates: Count,
    cached: Count,
    missing: Count,
    tokens: Count,
    dollars: Dollars,
});

const Job = Type.Object({
    id: Type.String(),
    tenant: Type.String(),
    state: Type.Enum([...JOB_STATES]),
    startedAt: Type.String(),
    endedAt: Type.Union([Type.String(), Type.Null()]),
    estimate: Estimate,
    progress: Type.Object({
        hits: Count,
        embedded: Count,
        failed: Count,
        tokens: Count,
        dollars: Dollars,
        failures: Type.Array(Type.Object({ line: Count, error: Type.String() })),
    }),
    reason: Type.Union([Type.String(), Type.Null()]),
});

const Query = strict({
    tenant: Tenant,
    maxTokens: Type.Optional(Type.Integer({ minimum: 0, description: "Maximum tokens" })),
    maxDollars: Type.Optional(Type.Number({ minimum: 0, description: "Maximum dollars" })),
    concurrency: Type.Integer({
        minimum: 1,
        maximum: 8,
        default: 2,
        description: "Concurrent calls",
    }),
    dryRun: Type.Boolean({ default: false, description: "Estimate only" }),
});

const NDJSON = "application/x-ndjson";
const PLAIN = "text/plain";
// No schema: the body is a stream whose lines are validated one by one.
const upload = { schema: Type.Unsafe<Readable>({ description: "One text per line" }) };
const Id = strict({
    id: Type.String({ format: "uuid", description: "ID of a warm-up of this pod" }),
});

/** Routes that warm up the cache from a list of texts. */
export function warmupRoutes(warmups: Warmups): AdminRoutes {
    return (app) => {
        withUploads(app, [NDJSON, PLAIN], uploadRoute(warmups));
        app.get(
            "/warmups",
            {
                schema: {
                    summary: "List the warm-ups of this pod, newest first",
                    response: { 200: Type.Array(Job), "4xx": Failure },
                },
            },
            () => [...warmups.list()],
        );
        app.get(
            "/warmups/:id",
            {
                schema: {
                    summary: "Get the progress of a warm-up",
                    params: Id,
                    response: { 200: Job, "4xx": Failure },
                },
            },
            ({ params: { id } }) => requireJob(warmups.find(id), id),
        );
        app.delete(
            "/warmups/:id",
            {
                schema: {
                    summary: "Cancel a warm-up; embedded texts stay cached",
                    params: Id,
                    response: { 200: Job, "4xx": Failure },
                },
            },
            async ({ params: { id } }) => requireJob(await warmups.cancel(id), id),
        );
    };
}

function uploadRoute(warmups: Warmups): AdminRoutes {
    return (app) => {
        app.post(
            "/warmups",
            {
                schema: {
                    summary: "Embed the uncached texts of a file, yielding to client requests",
                    querystring: Query,
                    body: { content: { [NDJSON]: upload, [PLAIN]: upload } },
                    response: { 200: Estimate, 202: Job, "4xx": Failure },
                },
            },
            async (request, reply) => {
                const { tenant, maxTokens, maxDollars, concurrency, dryRun } = request.query;
                const plain = request.headers["content-type"]?.startsWith(PLAIN);
                const wanted = {
                    tenant,
                    concurrency,
                    budget: { maxTokens, maxDollars },
                    format: plain ? ("plain" as const) : ("ndjson" as const),
                };
                const texts = request.body as Readable;
                if (dryRun) return warmups.estimate(texts, wanted);
                if (maxTokens === undefined && maxDollars === undefined) {
                    const message =
                        "Set a budget: maxTokens or maxDollars; dryRun=true returns an estimate";
                    throw new HttpError(400, message, { param: "maxTokens" });
                }
                return reply.code(202).send(await warmups.start(texts, wanted));
            },
        );
    };
}

function requireJob<T>(job: T | undefined, id: string): T {
    if (job !== undefined) return job;
    throw new HttpError(404, `This pod has no warm-up ${id}; GET /admin/v1/warmups lists them`);
}
