import { findDuplicateKey } from "./duplicateKey.ts";
import { CACHE_MODES, type CacheMode } from "./http.ts";
import { RUNTIME_SETTING_BOUNDS } from "./runtimeSettings.ts";
import { integerWithin, oneOf, text } from "./settings/kinds.ts";
import type { Kind } from "./settings/setting.ts";

export const ARMS = ["control", "treatment"] as const;

export type Arm = (typeof ARMS)[number];

/** Equal parts of an experiment's units. Statistics compare them, so that a text requested a thousand times counts once. */
export const BLOCKS = 100;

/** What has one arm: a text, or all requests of a user. */
export const UNITS = ["text", "user"] as const;

export type Unit = (typeof UNITS)[number];

/** Reasons for which lookups are in no arm: the request has no user, or its header or tenant names the mode. */
export const OUTSIDE_REASONS = ["no_user", "mode_named"] as const;

export type OutsideReason = (typeof OUTSIDE_REASONS)[number];

interface ParameterKind {
    readonly kind: Kind<number> | Kind<CacheMode>;
    readonly units: readonly Unit[];
    /** The allowed units, as an error states them. */
    readonly unitWords: string;
}

/**
 * What experiments may vary.
 *
 * - `cacheTtlSeconds`: how long a new entry is fresh. Users share entries, so that only a text can have a lifetime.
 * - `cacheMode`: mode of requests whose header and tenant name none; it has no effect while service.semanticMode is off
 */
const PARAMETERS = {
    cacheTtlSeconds: {
        kind: integerWithin(RUNTIME_SETTING_BOUNDS.cacheTtlSeconds, "seconds"),
        units: ["text"],
        unitWords: "text, because users share the entries that cacheTtlSeconds applies to",
    },
    cacheMode: { kind: oneOf(...CACHE_MODES), units: UNITS, unitWords: UNITS.join(", ") },
} as const satisfies Readonly<Record<string, ParameterKind>>;

export type Parameter = keyof typeof PARAMETERS;

export interface Experiment {
    readonly name: string;
    readonly parameter: Parameter;
    readonly unit: Unit;
    /** Value of the parameter for units of this arm. */
    readonly control: number | CacheMode;
    readonly treatment: number | CacheMode;
    /** Share of the units with the treatment. If it grows, no unit leaves the treatment. */
    readonly percent: number;
    /** Part of the hash. Another one assigns all units again. Default: the name. */
    readonly salt: string;
}

/** Experiments that a config may name without their other fields. */
const PREDEFINED_EXPERIMENTS: readonly Omit<Experiment, "salt" | "unit">[] = [
    {
        name: "cache_ttl_optimization",
        parameter: "cacheTtlSeconds",
        control: 7 * 86_400,
        treatment: 14 * 86_400,
        percent: 20,
    },
    {
        name: "enhanced_semantic_clustering",
        parameter: "cacheMode",
        control: "exact",
        treatment: "semantic",
        percent: 50,
    },
];

/** Each has up to 502 series in every pod. */
const MAX_EXPERIMENTS = 4;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const FIELDS = ["name", "parameter", "unit", "control", "treatment", "percent", "salt"];
const DEFAULT_UNIT: Unit = "text";
const WORDS =
    'a JSON list such as [{"name": "cache_ttl_optimization"}], as docs/experiments.md describes it';

/** Kind of the setting that declares experiments; its text is a JSON list. */
export const EXPERIMENTS: Kind<string> = {
    ...text((list) => readExperiments(list).errors.length === 0, WORDS),
    errors: (list) => readExperiments(list).errors,
};

/** @throws if the list is not allowed; see `EXPERIMENTS` */
export function parseExperiments(list: string): readonly Experiment[] {
    const { experiments, errors } = readExperiments(list);
    if (errors.length > 0) throw new Error(`The list of experiments ${errors.join("; ")}`);
    return experiments;
}

/** The unit of a user. IDs of tenants have no slash, so that users of two tenants are never the same unit. */
export function unitOfUser(tenant: string, user: string): string {
    return `${tenant}/${user}`;
}

/** The block of a unit: the hash that GrowthBook publishes as its version 2, in 100 parts. */
export function blockOf(salt: string, unit: string): number {
    const hash = fnv1a(String(fnv1a(salt + unit)));
    return Math.floor((hash % 10_000) / (10_000 / BLOCKS));
}

/** Treatment has the first blocks, so that a larger share only adds some. */
export function armOf({ percent }: Pick<Experiment, "percent">, block: number): Arm {
    return block < percent ? "treatment" : "control";
}

function fnv1a(unit: string): number {
    let hash = 0x811c9dc5;
    for (let at = 0; at < unit.length; at += 1) {
        hash = Math.imul(hash ^ unit.charCodeAt(at), 0x01000193);
    }
    return hash >>> 0;
}

function readExperiments(list: string): { experiments: Experiment[]; errors: string[] } {
    let listed: unknown;
    try {
        listed = list === "" ? [] : JSON.parse(list);
    } catch {
        return { experiments: [], errors: [`is not JSON; allowed: ${WORDS}`] };
    }
    const key = list === "" ? undefined : findDuplicateKey(list);
    if (key !== undefined) {
        const shown = JSON.stringify(key);
        return { experiments: [], errors: [`has ${shown} in an object twice; allowed: once`] };
    }
    if (!Array.isArray(listed) || listed.length > MAX_EXPERIMENTS) {
        const what = Array.isArray(listed) ? `has ${listed.length} experiments` : "is not a list";
        return {
            experiments: [],
            errors: [`${what}; allowed: at most ${MAX_EXPERIMENTS}, ${WORDS}`],
        };
    }
    const errors: string[] = [];
    const experiments = listed.map((one: unknown, at) => readExperiment(one, `[${at}]`, errors));
    for (const field of ["name", "parameter"] as const) {
        experiments.forEach((one, at) => {
            const first = experiments.findIndex((other) => other[field] === one[field]);
            if (one[field] !== "" && first < at)
                errors.push(
                    `[${at}].${field} is "${one[field]}", as that of [${first}]; allowed: each once`,
                );
        });
    }
    return { experiments, errors };
}

function readExperiment(listed: unknown, path: string, errors: string[]): Experiment {
    const given =
        typeof listed === "object" && listed !== null ? (listed as Record<string, unknown>) : {};
    const predefined = PREDEFINED_EXPERIMENTS.find(({ name }) => name === given.name);
    const fields: Record<string, unknown> = {
        unit: DEFAULT_UNIT,
        ...predefined,
        salt: given.name,
        ...given,
    };
    const check = (field: string, isAllowed: boolean, allowed: string): void => {
        if (isAllowed) return;
        const value = fields[field];
        const state =
            value === undefined ? "is missing" : `is ${JSON.stringify(value).slice(0, 64)}`;
        errors.push(`${path}.${field} ${state}; allowed: ${allowed}`);
    };
    for (const field of Object.keys(given))
        check(field, FIELDS.includes(field), `no such field, but ${FIELDS.join(", ")}`);
    const { name, parameter, unit, percent, salt } = fields;
    check(
        "name",
        typeof name === "string" && NAME.test(name),
        "lower-case letters, digits and _, at most 63",
    );
    check(
        "salt",
        typeof salt === "string" && /^[\x21-\x7e]{1,64}$/.test(salt),
        "1 to 64 printable characters without blanks",
    );
    check(
        "percent",
        Number.isInteger(percent) && Number(percent) >= 0 && Number(percent) <= 100,
        "a whole number from 0 to 100",
    );
    const isKnown = typeof parameter === "string" && Object.hasOwn(PARAMETERS, parameter);
    check("parameter", isKnown, Object.keys(PARAMETERS).join(", "));
    // The units of an unknown parameter are unknown, too.
    const { units, unitWords }: Omit<ParameterKind, "kind"> = isKnown
        ? PARAMETERS[parameter as Parameter]
        : { units: UNITS, unitWords: UNITS.join(", ") };
    check(
        "unit",
        units.some((one) => one === unit),
        unitWords,
    );
    if (isKnown) {
        const { kind } = PARAMETERS[parameter as Parameter];
        for (const arm of ARMS)
            check(
                arm,
                typeof fields[arm] === (kind.type === "integer" ? "number" : "string") &&
                    kind.fits(String(fields[arm])),
                kind.words,
            );
    }
    return fields as unknown as Experiment;
}
