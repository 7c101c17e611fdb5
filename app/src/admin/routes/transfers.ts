import type { Readable } from "node:stream";

import { Type } from "typebox";

import { withUploads, type AdminRoutes } from "../server.ts";
import { TRANSFER_STATES, type Transfers } from "../transfers/transfers.ts";
import { Failure, strict, Tenant } from "./schemas.ts";

const NDJSON = "application/x-ndjson";
const Count = Type.Integer({ minimum: 0 });

const Imported = Type.Object({
    lines: Count,
    written: Count,
    kept: Count,
    refused: Count,
    refusals: Type.Array(Type.Object({ line: Count, error: Type.String() })),
    complete: Type.Boolean(),
});

const common = {
    id: Type.String(),
    tenant: Type.Union([Type.String(), Type.Null()]),
    state: Type.Enum([...TRANSFER_STATES]),
    begun: Type.String(),
    ended: Type.Union([Type.String(), Type.Null()]),
    reason: Type.Union([Type.String(), Type.Null()]),
};

const Transfer = Type.Union([
    Type.Object({
        ...common,
        kind: Type.Literal("export"),
        progress: Type.Object({ scanned: Count, keys: Count, entries: Count }),
    }),
    Type.Object({ ...common, kind: Type.Literal("import"), progress: Imported }),
]);

// No type: both are streams of lines, each checked by itself.
const lines = { schema: Type.Unsafe<Readable>({ description: "A head, entries, and an end" }) };

/** A tenant's entries out of Redis and into it. */
export function transferRoutes(transfers: Transfers): AdminRoutes {
    return (app) => {
        app.get(
            "/export",
            {
                schema: {
                    summary: "The entries that Redis has of a tenant for this pod's model",
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
        withUploads(app, [NDJSON], (scope) => {
            scope.post(
                "/import",
                {
                    schema: {
                        summary: "Store the entries of an export that are sound and no older",
                        body: { content: { [NDJSON]: lines } },
                        response: { 200: Imported, "4xx": Failure, "5xx": Failure },
                    },
                },
                (request) => transfers.import(request.body as Readable),
            );
        });
        app.get(
            "/transfers",
            {
                schema: {
                    summary: "Exports and imports of this pod and how far they are, newest first",
                    response: { 200: Type.Array(Transfer), "4xx": Failure },
                },
            },
            () => [...transfers.list()],
        );
    };
}
