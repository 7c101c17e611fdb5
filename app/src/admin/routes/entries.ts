import { Type } from "typebox";

import { LOCAL_STATES, REDIS_STATES, type Entries } from "../entries/entries.ts";
import { MAX_TEXT_BODY_BYTES } from "../app.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, Key, reasonField, strict, Tenant } from "./schemas.ts";

const KeyParams = strict({ key: Key });
const Vector = Type.Boolean({ default: false, description: "Include the vector" });

const Lookup = strict({
    tenant: Tenant,
    // No schema: the parser of client requests validates it.
    input: Type.Unsafe<unknown>({ description: "One text, or one list of token IDs" }),
    dimensions: Type.Optional(
        Type.Integer({ minimum: 1, description: "As in the client's request" }),
    ),
    vector: Vector,
});

const FlagRequest = strict({
    reason: reasonField("What is wrong with the entry"),
    actor: Actor,
});

const Flag = Type.Object({
    key: Key,
    reason: Type.String(),
    actor: Type.String(),
    flaggedAt: Type.String(),
    expiresAt: Type.String({
        description: "Expiry of the flag: no copy from before it outlives it",
    }),
});

const copy = {
    createdAt: Type.Optional(Type.String()),
    freshUntil: Type.Optional(Type.String()),
    tokens: Type.Optional(Type.Integer()),
    dimensions: Type.Optional(Type.Integer()),
    truncated: Type.Optional(Type.Boolean()),
};

const Report = Type.Object({
    key: Key,
    local: Type.Object({ state: Type.Enum([...LOCAL_STATES]), ...copy }),
    redis: Type.Object({
        state: Type.Enum([...REDIS_STATES]),
        ...copy,
        precision: Type.Optional(Type.String()),
        buildId: Type.Optional(Type.String()),
        writtenByThisBuild: Type.Optional(Type.Boolean()),
        bytes: Type.Optional(Type.Integer()),
    }),
    flag: Type.Union([Flag, Type.Null()]),
    vector: Type.Optional(Type.Array(Type.Number())),
});

const InvalidationResult = Type.Object({
    key: Key,
    wasLocal: Type.Boolean(),
    wasInRedis: Type.Boolean(),
    propagationMilliseconds: Type.Integer(),
});

/** Routes that inspect, flag and delete a single entry. */
export function entryRoutes(entries: Entries): AdminRoutes {
    return (app) => {
        app.post(
            "/entries/inspect",
            {
                bodyLimit: MAX_TEXT_BODY_BYTES,
                schema: {
                    summary: "Inspect the entry of an input",
                    body: Lookup,
                    response: { 200: Report, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ body: { vector, ...input } }) =>
                entries.inspect(entries.itemOf(input).item.key, vector),
        );
        app.get(
            "/entries/:key",
            {
                schema: {
                    summary: "Inspect the entry of a key",
                    params: KeyParams,
                    querystring: strict({ vector: Vector }),
                    response: { 200: Report, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { key }, query: { vector } }) => entries.inspect(key, vector),
        );
        app.delete(
            "/entries/:key",
            {
                schema: {
                    summary: "Delete an entry from Redis and from the local caches of all pods",
                    params: KeyParams,
                    response: { 200: InvalidationResult, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { key } }) => entries.remove(key),
        );
        app.post(
            "/entries/:key/flag",
            {
                schema: {
                    summary: "Flag an entry as wrong: no pod serves it, and it is fetched again",
                    params: KeyParams,
                    body: FlagRequest,
                    response: { 200: InvalidationResult, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { key }, body: { reason, actor } }) => entries.flag(key, reason, actor),
        );
        app.get(
            "/flags",
            {
                schema: {
                    summary: "List the flagged entries, newest first",
                    response: { 200: Type.Array(Flag), "4xx": Failure, "5xx": Failure },
                },
            },
            () => [...entries.flags()],
        );
    };
}
