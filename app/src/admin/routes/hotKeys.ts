import { Type } from "typebox";

import type { HotKeys } from "../../hotKeys/hotKeys.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, Key, strict } from "./schemas.ts";

const Query = strict({
    limit: Type.Integer({
        minimum: 1,
        maximum: 1_000,
        default: 50,
        description: "Maximum number of keys",
    }),
});

const HotKey = Type.Object({
    key: Key,
    tenant: Type.String(),
    requests: Type.Integer({ description: "Estimated over the last two to four minutes" }),
});

export function hotKeyRoutes(hotKeys: HotKeys): AdminRoutes {
    return (app) => {
        app.get(
            "/hot-keys",
            {
                schema: {
                    summary: "List the most requested keys of this pod",
                    querystring: Query,
                    response: { 200: Type.Array(HotKey), "4xx": Failure },
                },
            },
            ({ query: { limit } }) => [...hotKeys.top(limit)],
        );
    };
}
