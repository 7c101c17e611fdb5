import { Type } from "typebox";

import { LOCAL_STATES, REDIS_STATES, type Entries } from "../entries/entries.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, Key, reasonField, strict, Tenant } from "./schemas.ts";

const KeyParams = strict({ key: Key });
const Vector = Type.Boolean({ default: false, description: "Tell the vector too" });

const Lookup = strict({
    tenant: Tenant,
    // No type: what a client may send is read by the code that reads clients' requests.
    input: Type.Unsafe<unknown>({ description: "One text, or one list of token ids" }),
    dimensions: Type.Optional(Type.Integer({ minimum: 1, description: "As the client asks" })),
    vector: Vector,
});

const Judgement = strict({
    reason: reasonField("What is wrong with it"),
    actor: Actor,
});

const Flag = Type.Object({
    key: Key,
    reason: Type.String(),
    actor: Type.String(),
    flagged: Type.String(),
    ends: Type.String({ description: "When no copy from before the flag can be alive" }),
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
        writer: Type.Optional(Type.String()),
        writtenByThisBuild: Type.Optional(Type.Boolean()),
        bytes: Type.Optional(Type.Integer()),
    }),
    flag: Type.Union([Flag, Type.Null()]),
    vector: Type.Optional(Type.Array(Type.Number())),
});

const TakenOut = Type.Object({
    key: Key,
    wasLocal: Type.Boolean(),
    wasInRedis: Type.Boolean(),
    othersFollowWithinMilliseconds: Type.Integer(),
});

/** One entry: where it is, and how to be rid of it. */
export function entryRoutes(entries: Entries): AdminRoutes {
    return (app) => {
        app.post(
            "/entries/inspect",
            {
                schema: {
                    summary: "Where the entry of an input is, and what it is like",
                    body: Lookup,
                    response: { 200: Report, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ body: { vector, ...asked } }) => entries.inspect(entries.keyOf(asked), vector),
        );
        app.get(
            "/entries/:key",
            {
                schema: {
                    summary: "Where the entry of a key is, and what it is like",
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
                    summary: "Delete an entry from Redis and from the memory of all pods",
                    params: KeyParams,
                    response: { 200: TakenOut, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { key } }) => entries.remove(key),
        );
        app.post(
            "/entries/:key/flag",
            {
                schema: {
                    summary: "Mark an entry as wrong: no pod serves it, and it is fetched anew",
                    params: KeyParams,
                    body: Judgement,
                    response: { 200: TakenOut, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { key }, body: { reason, actor } }) => entries.flag(key, reason, actor),
        );
        app.get(
            "/flags",
            {
                schema: {
                    summary: "Entries that were marked as wrong, the newest first",
                    response: { 200: Type.Array(Flag), "4xx": Failure, "5xx": Failure },
                },
            },
            () => [...entries.flags()],
        );
    };
}
