import {
    ADMIN_PATHS,
    RUNTIME_SETTING_BOUNDS,
    TUNING_STATES,
    type RuntimeSettingsState,
} from "@property-search/contract";
import { Type } from "typebox";

import { HttpError } from "../../http/protocol/error.ts";
import type { Log } from "../../log.ts";
import { VERSION_PROPAGATION_MILLISECONDS } from "../../redis/versionedRecord.ts";
import { SettingsError, type RuntimeSettings } from "../../runtimeSettings/runtimeSettings.ts";
import { redisUnavailable } from "../redisUnavailable.ts";
import { replacementError } from "../replacementError.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, reasonField, strict } from "./schemas.ts";

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
    Type.Union([schema, Type.Null()]);

const Tuned = Type.Object({
    value: Type.Integer(),
    configured: Type.Integer({
        description:
            "The configured value that it was derived from; pods with another one ignore it",
    }),
    actor: Type.String(),
    reason: Type.String(),
    changedAt: Type.String(),
});

const SettingState = Type.Object({
    value: nullable(Type.Integer({ description: "In force; null: an experiment varies it" })),
    source: Type.Enum(["config", "tuned", "experiment"]),
    configured: Type.Integer({ description: "Value of the stack's config" }),
    least: Type.Integer(),
    most: Type.Integer(),
    experiment: nullable(Type.String()),
    tuned: nullable(Tuned),
});

const State = Type.Object({
    version: Type.Integer({ description: "0: never changed" }),
    tuning: Type.Enum([...TUNING_STATES]),
    actor: nullable(Type.String()),
    reason: nullable(Type.String()),
    changedAt: nullable(Type.String()),
    staleIfErrorSeconds: Type.Integer({
        description: "How long an entry is kept after its lifetime; not a run-time setting",
    }),
    settings: Type.Object({ cacheTtlSeconds: SettingState, localCacheMaxEntries: SettingState }),
});

const Changed = Type.Object({
    ...State.properties,
    propagationMilliseconds: Type.Integer({
        description: "Until then, other pods may still use the previous values",
    }),
});

const valueOf = ({ least, most }: { readonly least: number; readonly most: number }) =>
    Type.Optional(
        nullable(
            Type.Integer({ minimum: least, maximum: most, description: "null: as configured" }),
        ),
    );

const Change = strict({
    version: Type.Integer({ minimum: 1, description: "Version of the previous settings, plus 1" }),
    actor: Actor,
    reason: reasonField("Reason for the change"),
    settings: Type.Object(
        {
            cacheTtlSeconds: valueOf(RUNTIME_SETTING_BOUNDS.cacheTtlSeconds),
            localCacheMaxEntries: valueOf(RUNTIME_SETTING_BOUNDS.localCacheMaxEntries),
        },
        { additionalProperties: false, minProperties: 1 },
    ),
});

const Switch = strict({
    tuning: Type.Enum([...TUNING_STATES]),
    actor: Actor,
    reason: reasonField("Reason for stopping or allowing tuning"),
});

export interface SettingsRoutesDependencies {
    readonly settings: Pick<RuntimeSettings, "state" | "change" | "switchTuning" | "isKnown">;
    /** Whether this pod shares the settings with other pods. */
    readonly shared: boolean;
    readonly log: Log;
}

/** Routes that show and change settings at run time, in all pods. */
export function settingsRoutes(dependencies: SettingsRoutesDependencies): AdminRoutes {
    const { settings, shared, log } = dependencies;
    return (app) => {
        app.get(
            ADMIN_PATHS.settings,
            {
                schema: {
                    summary:
                        "Get the settings that can be changed at run time, and their values in force",
                    response: { 200: State, "4xx": Failure, "5xx": Failure },
                },
            },
            () => {
                if (shared && !settings.isKnown())
                    throw redisUnavailable(new Error("Run-time settings have not been read"), log);
                return settings.state();
            },
        );
        app.put(
            ADMIN_PATHS.settings,
            {
                schema: {
                    summary: "Change settings in all pods until the configured value changes",
                    body: Change,
                    response: { 200: Changed, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ body: { version, actor, reason, settings: values } }) =>
                change(dependencies, () => settings.change(version, { actor, reason, values })),
        );
    };
}

/** The kill switch of every program that tunes settings, which is for people only. */
export function tuningRoutes(dependencies: SettingsRoutesDependencies): AdminRoutes {
    return (app) => {
        app.put(
            ADMIN_PATHS.tuning,
            {
                schema: {
                    summary:
                        "Stop tuning, which restores the configured values at once, or allow it",
                    body: Switch,
                    response: { 200: Changed, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ body: { tuning, actor, reason } }) =>
                change(dependencies, () =>
                    dependencies.settings.switchTuning(tuning, { actor, reason }),
                ),
        );
    };
}

/** @throws HttpError: see `replacementError`; 400 and 409 for a change that is not allowed */
async function change(
    { shared, log }: SettingsRoutesDependencies,
    apply: () => Promise<RuntimeSettingsState>,
) {
    if (!shared)
        throw new HttpError(
            409,
            "This pod has no Redis, so that other pods would not follow; allowed: the stack's config",
            { code: "no_redis" },
        );
    try {
        const state = await apply();
        log.warn(
            { version: state.version, actor: state.actor, reason: state.reason },
            "Run-time settings were changed",
        );
        return { ...state, propagationMilliseconds: VERSION_PROPAGATION_MILLISECONDS };
    } catch (error) {
        if (!(error instanceof SettingsError))
            throw replacementError(error, { prefix: "", path: ADMIN_PATHS.settings, log });
        const param = `settings.${error.setting}`;
        const isInvalid = error.code === "invalid_value";
        throw new HttpError(isInvalid ? 400 : 409, `${param} ${error.message}`, {
            param,
            ...(!isInvalid && { code: error.code }),
        });
    }
}
