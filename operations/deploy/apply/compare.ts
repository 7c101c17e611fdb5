import { parseQuantity } from "@property-search/contract";
import { isDeepStrictEqual } from "node:util";

/** A field whose live value differs from the declared one. */
export interface Difference {
    /** Such as `spec.ingress[0].from`. */
    readonly field: string;
    readonly declared: unknown;
    /** Undefined: the cluster's object does not have the field. */
    readonly live: unknown;
}

export interface CompareOptions {
    /** Patterns of field paths that other owners set. */
    readonly ignored?: readonly RegExp[];
    /** Whether a declared value is unknown, such as a masked secret; the field then only has to exist. */
    readonly isUnknown?: (value: unknown) => boolean;
}

/**
 * Lists that the API server merges by key (https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy):
 * they may contain items of other owners. Every other list is one value.
 */
const MERGE_KEYS: readonly (readonly [RegExp, readonly string[]])[] = [
    [/\.(initC|c|ephemeralC)ontainers$/, ["name"]],
    [/ontainers\[[^\]]*\]\.env$/, ["name"]],
    [/ontainers\[[^\]]*\]\.ports$/, ["containerPort", "protocol"]],
    [/ontainers\[[^\]]*\]\.volumeMounts$/, ["mountPath"]],
    [/\.volumes$/, ["name"]],
    [/\.imagePullSecrets$/, ["name"]],
    [/\.topologySpreadConstraints$/, ["topologyKey", "whenUnsatisfiable"]],
    [/\.hostAliases$/, ["ip"]],
    [/^spec\.ports$/, ["port", "protocol"]],
    [/^spec\.listeners$/, ["name"]],
    [/^secrets$/, ["name"]],
    [/^webhooks$/, ["name"]],
];
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: "TCP" };
/** Lists of plain values that are sets, to which other owners add items. */
const SET_FIELDS = /^metadata\.finalizers$/;

/** Fields whose values are quantities: 1000m is 1. */
const QUANTITIES =
    /(^spec\.hard|\.(limits|requests|capacity|max|min|default|defaultRequest|maxLimitRequestRatio))\.[^.]+$|\.(sizeLimit|divisor|averageValue)$/;

/**
 * Fields that the API server omits if they are false, 0 or "", since their absence means the same. For other fields the
 * absence may mean something else: automountServiceAccountToken, runAsUser.
 */
const OMITTED_ZERO =
    /\.(hostNetwork|hostPID|hostIPC|stdin|stdinOnce|tty|readOnly|paused|minReadySeconds|initialDelaySeconds|publishNotReadyAddresses|subPath)$|\.env\[[^\]]*\]\.value$|^spec\.(paused|minReadySeconds|publishNotReadyAddresses)$/;
/** Maps that the API server omits if they are empty; an empty struct is stored as `{}`. */
const OMITTED_EMPTY =
    /(^|\.)(labels|annotations|matchLabels|nodeSelector|data|binaryData|stringData|limits|requests|hard|parameters|options)$/;

/**
 * Finds declared fields whose live values differ under Kubernetes' equality. Additional fields of the server or other
 * owners are no differences.
 */
export function differences(
    declared: object,
    live: object,
    options: CompareOptions = {},
): Difference[] {
    return [...compareMaps(declared, live, "", options)];
}

function* compare(
    declared: unknown,
    live: unknown,
    field: string,
    options: CompareOptions,
): Generator<Difference> {
    if (options.ignored?.some((pattern) => pattern.test(field))) return;
    if (live === undefined ? isOmitted(declared, field) : isEqual(declared, live, field)) return;
    if (live !== undefined && options.isUnknown?.(declared)) return;
    if (Array.isArray(declared) && Array.isArray(live)) {
        yield* compareLists(declared, live, field, options);
    } else if (isMap(declared) && isMap(live)) {
        yield* compareMaps(declared, live, field, options);
    } else {
        yield { field, declared, live };
    }
}

function* compareMaps(
    declared: object,
    live: object,
    field: string,
    options: CompareOptions,
): Generator<Difference> {
    const has = live as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries(declared)) {
        const inner = field === "" ? key : `${field}.${key}`;
        if (value !== undefined) yield* compare(value, has[key], inner, options);
    }
}

function* compareLists(
    declared: readonly unknown[],
    live: readonly unknown[],
    field: string,
    options: CompareOptions,
): Generator<Difference> {
    const keys = MERGE_KEYS.find(([pattern]) => pattern.test(field))?.[1];
    if (keys) {
        for (const item of declared) {
            const key = keyIn(item, keys);
            const found = live.find((one) => isDeepStrictEqual(keyIn(one, keys), key));
            yield* compare(item, found, `${field}[${key.map(String).join("/")}]`, options);
        }
    } else if (SET_FIELDS.test(field)) {
        for (const item of declared) {
            if (!live.includes(item)) yield { field, declared, live };
        }
    } else if (declared.length !== live.length) {
        yield { field, declared, live };
    } else {
        for (const [index, item] of declared.entries()) {
            yield* compare(item, live[index], `${field}[${index}]`, options);
        }
    }
}

function keyIn(item: unknown, keys: readonly string[]): unknown[] {
    const has = (item ?? {}) as Readonly<Record<string, unknown>>;
    return keys.map((key) => has[key] ?? KEY_DEFAULTS[key]);
}

function isOmitted(value: unknown, field: string): boolean {
    if (value === null || (Array.isArray(value) && value.length === 0)) return true;
    if (value === false || value === 0 || value === "") return OMITTED_ZERO.test(field);
    return isMap(value) && Object.keys(value).length === 0 && OMITTED_EMPTY.test(field);
}

function isEqual(declared: unknown, live: unknown, field: string): boolean {
    if (isDeepStrictEqual(declared, live)) return true;
    if (!QUANTITIES.test(field)) return false;
    const [one, other] = [parseQuantity(declared), parseQuantity(live)];
    // The API server rounds up to a billionth.
    return (
        one !== undefined && other !== undefined && Math.abs(one - other) <= 1e-9 * Math.abs(one)
    );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
