import { LOG_LEVELS } from "@property-search/contract/settings";
import { Type } from "typebox";

import type { Config } from "../../config.ts";
import type { Log } from "../../log.ts";
import { redact } from "../redact.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

export interface RuntimeDependencies {
    readonly config: Config;
    readonly log: Log;
    /** Current state of this pod: breakers, queues, sizes. */
    readonly state: () => Readonly<Record<string, unknown>>;
}

const Level = strict({ level: Type.Enum([...LOG_LEVELS]) });
const Facts = Type.Record(Type.String(), Type.Unknown());

/** Routes for the configuration, the state and the log level of this pod. */
export function runtimeRoutes({ config, log, state }: RuntimeDependencies): AdminRoutes {
    return (app) => {
        app.get(
            "/config",
            {
                schema: {
                    summary: "Get the effective configuration with secrets redacted",
                    response: { 200: Facts, "4xx": Failure },
                },
            },
            () => redact(config),
        );
        app.get(
            "/state",
            {
                schema: {
                    summary: "Get breakers, queues, cache sizes and memory of this pod",
                    response: { 200: Facts, "4xx": Failure },
                },
            },
            state,
        );
        app.get(
            "/log-level",
            {
                schema: {
                    summary: "Get the log level of this pod",
                    response: { 200: Level, "4xx": Failure },
                },
            },
            () => ({ level: log.level as (typeof LOG_LEVELS)[number] }),
        );
        app.put(
            "/log-level",
            {
                schema: {
                    summary: "Set the log level until this pod ends",
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
