import type { Readable } from "node:stream";

import { Type } from "typebox";

import { withUploads, type AdminRoutes } from "../server.ts";
import { TRANSFER_STATES, type Transfers } from "../transfers/transfers.ts";
import { Failure, strict, Tenant } from "./schemas.ts";

const NDJSON = "application/x-ndjson";
const Count = Type.Integer({ minimum: 0 });

const ImportResult = Type.Object({
    lines: Count,
    written: Count,
    skipped: Count,
    rejected: Count,
    errors: Type.Array(Type.Object({ line: Count, error: Type.String() })),
    complete: Type.Boolean(),
});

const common = {
    id: Type.String(),
    tenant: Type.Union([Type.String(), Type.Null()]),
    state: Type.Enum([...TRANSFER_STATES]),
    startedAt: Type.String(),
    endedAt: Type.Union([Type.String(), Type.Null()]),
    reason: Type.Union([Type.String(), Type.Null()]),
};

const Transfer = Type.Union([
    Type.Object({
        ...common,
        kind: Type.Literal("export"),
        progress: Type.Object({ scanned: Count, keys: Count, entries: Count }),
    }),
    Type.Object({ ...common, kind: Type.Literal("import"), progress: ImportResult }),
]);

// No schema: both are streams whose lines are validated one by one.
const lines = {
    schema: Type.Unsafe<Readable>({ description: "A header, entries and an end marker" }),
};

/** Routes that export and import the entries of a tenant. */
export function transferRoutes(transfers: Transfers): AdminRoutes {
    return (app) => {
        app.get(
            "/export",
            {
                schema: {
                    summary: "Export a tenant's entries for this pod's model from Redis",
                    querystring: strict({ tenant: Tenant }),
                    response: {
                        200: { content: { [NDJSON]: lines } },
                        "4xx": Failure,
                        "5xx": Failure,
                    },
                },
            },
            async ({ query: { tenant } }, reply) => {
                const stream = await transfers.export(tenant);
                return reply.type(NDJSON).send(stream);
            },
        );
        withUploads(app, [NDJSON], (instance) => {
            instance.post(
                "/import",
                {
                    schema: {
                        summary:
                            "Import the valid entries of an export that Redis has no newer copy of",
                        body: { content: { [NDJSON]: lines } },
                        response: { 200: ImportResult, "4xx": Failure, "5xx": Failure },
                    },
                },
                (request) => transfers.import(request.body as Readable),
            );
        });
        app.get(
            "/transfers",
            {
                schema: {
                    summary:
                        "List exports and imports of this pod with their progress, newest first",
                    response: { 200: Type.Array(Transfer), "4xx": Failure },
                },
            },
            () => [...transfers.list()],
        );
    };
}
