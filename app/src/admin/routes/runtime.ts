import { LOG_LEVELS } from "@property-search/contract/settings";
import { Type } from "typebox";

import type { Config } from "../../config.ts";
import type { Log } from "../../log.ts";
import { masked } from "../masked.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

export interface Runtime {
    readonly config: Config;
    readonly log: Log;
    /** What this pod is like now: breakers, queues, sizes. */
    readonly state: () => Readonly<Record<string, unknown>>;
}

const Level = strict({ level: Type.Enum([...LOG_LEVELS]) });
const Facts = Type.Record(Type.String(), Type.Unknown());

/** What this pod was told, what it is like now, and how much it says. */
export function runtimeRoutes({ config, log, state }: Runtime): AdminRoutes {
    return (app) => {
        app.get(
            "/config",
            {
                schema: {
                    summary: "The configuration in force, without its secrets",
                    response: { 200: Facts, "4xx": Failure },
                },
            },
            () => masked(config),
        );
        app.get(
            "/state",
            {
                schema: {
                    summary: "Breakers, queues, cache sizes and memory of this pod",
                    response: { 200: Facts, "4xx": Failure },
                },
            },
            state,
        );
        app.get(
            "/log-level",
            {
                schema: {
                    summary: "What this pod logs at least",
                    response: { 200: Level, "4xx": Failure },
                },
            },
            () => ({ level: log.level as (typeof LOG_LEVELS)[number] }),
        );
        app.put(
            "/log-level",
            {
                schema: {
                    summary: "Log more or less, until this pod ends",
                    body: Level,
                    response: { 200: Level, "4xx": Failure },
                },
            },
            ({ body: { level } }) => {
                log.level = level;
                return { level };
            },
        );
    };
}
