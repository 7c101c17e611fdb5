import * as models from "@kubernetes/client-node/dist/gen/models/all.js";
import { isJson, ifKnown, type Json, type KubernetesObject, type Place } from "./object.ts";

/*
 * The fields of Kubernetes' built-in kinds, from the models of its client, which are generated from the API's
 * OpenAPI document. Custom resources have no models.
 */

interface Attribute {
    readonly baseName: string;
    /** Such as `string`, `Array<V1Container>` and `{ [key: string]: string; }`. */
    readonly type: string;
    readonly format: string;
}
interface Model {
    getAttributeTypeMap?: () => readonly Attribute[];
}

const MODELS = models as Readonly<Record<string, Model | undefined>>;

/** An invalid field, with a proposed fix. */
export interface FieldError {
    readonly message: string;
    readonly fix: unknown;
}

/** @returns the model of a built-in kind; undefined for custom resources */
function findModel({ apiVersion, kind }: KubernetesObject): string | undefined {
    const [version = "", group = ""] = apiVersion.split("/").reverse();
    if (group.includes(".") && !group.endsWith(".k8s.io")) return undefined;
    const name = `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;
    // Two groups have a kind of this name.
    const whole = kind === "Event" ? `${group === "" ? "Core" : "Events"}${name}` : name;
    return listAttributes(whole) ? whole : undefined;
}

function listAttributes(model: string): readonly Attribute[] | undefined {
    return MODELS[model]?.getAttributeTypeMap?.();
}

/** Checks every field of an object that has a model; `read` returns the error of the field. */
export function* checkFields(object: KubernetesObject): Generator<Place<FieldError | undefined>> {
    const model = findModel(object);
    if (model !== undefined) yield* checkModel(model, object.body, "");
}

/** @returns whether an object violates the types of the API, so that rules may fail on it. */
export function hasInvalidFields(object: KubernetesObject): boolean {
    return [...checkFields(object)].some(({ read }) => ifKnown(read) !== undefined);
}

function* checkModel(
    model: string,
    value: Json,
    path: string,
): Generator<Place<FieldError | undefined>> {
    const attributes = listAttributes(model) ?? [];
    for (const key of Object.keys(value)) {
        const at = path === "" ? key : `${path}.${key}`;
        const attribute = attributes.find(({ baseName }) => baseName === key);
        const isText = key === "value" && TEXT_VALUES.test(model);
        const typed = attribute && isText ? { type: attribute.type, format: TEXT } : attribute;
        if (typed) yield* checkValue(typed, () => value[key], at, key);
        else yield { path: at, read: () => unknownField(key, attributes) };
    }
}

function* checkValue(
    { type, format }: Pick<Attribute, "type" | "format">,
    read: () => unknown,
    path: string,
    key: string,
): Generator<Place<FieldError | undefined>> {
    const [, element] = /^(?:Array|Set)<(.+)>$/.exec(type) ?? [];
    const [, entry] = /^\{ \[key: string\]: (.+); \}$/.exec(type) ?? [];
    const value = ifKnown(read);
    yield { path, read: () => checkType({ type, format }, read(), key) };
    if (element !== undefined && Array.isArray(value)) {
        for (const at of value.keys()) {
            const nothing = {
                message: "has an empty list element",
                fix: `# remove ${path}[${at}]`,
            };
            yield {
                path: `${path}[${at}]`,
                read: () => (value[at] === null ? nothing : undefined),
            };
            yield* checkValue(
                { type: element, format: "" },
                () => value[at] as unknown,
                `${path}[${at}]`,
                key,
            );
        }
    } else if (entry !== undefined && isJson(value)) {
        for (const name of Object.keys(value)) {
            yield* checkValue(
                { type: entry, format: "" },
                () => value[name],
                `${path}[${name}]`,
                key,
            );
        }
    } else if (element === undefined && entry === undefined && isJson(value)) {
        yield* checkModel(type, value, path);
    }
}

/** Quantities, which are strings in a model but may be numbers. */
const QUANTITIES =
    /^(limits|requests|hard|used|capacity|allocatable|overhead|podFixed|max|min|default|defaultRequest|maxLimitRequestRatio|sizeLimit|divisor|value|averageValue|quantity)$/;
/** Models whose `value` is text rather than a quantity. */
const TEXT_VALUES = /^V\d\w*?(EnvVar|Toleration|HTTPHeader|Sysctl|PodDNSConfigOption)$/;
const TEXT = "text";

const TYPES: readonly (readonly [
    type: RegExp,
    words: string,
    isRight: (value: unknown) => boolean,
])[] = [
    [/^(Array|Set)</, "a list", Array.isArray],
    [/^\{ \[key/, "a map", isJson],
    [
        /^(V\d|Core|Events|Discovery|Storage|Rbac|Flowcontrol|Admission|Apiextensions|Apiregistration|Authentication)/,
        "a map",
        isJson,
    ],
    [
        /^string$|^Date$|MicroTime$/,
        "text",
        (value) => typeof value === "string" || value instanceof Date,
    ],
    [/^boolean$/, "true or false", (value) => typeof value === "boolean"],
    [/^number$/, "a number", (value) => typeof value === "number"],
    [
        /^IntOrString$/,
        "a whole number or text",
        (value) => typeof value === "string" || Number.isInteger(value),
    ],
];

function checkType(
    { type, format }: Pick<Attribute, "type" | "format">,
    value: unknown,
    key: string,
): FieldError | undefined {
    // The API server treats null as absent.
    if (value === null || value === undefined) return undefined;
    const isComplete = !/^int(32|64)$/.test(format) || Number.isInteger(value);
    const mayBeNumber = type === "string" && format !== TEXT && QUANTITIES.test(key);
    const isQuantity = mayBeNumber && typeof value === "number";
    const of = TYPES.find(([one]) => one.test(type));
    if (!of || isQuantity) return undefined;
    const [, words, isRight] = of;
    if (isRight(value) && isComplete) return undefined;
    const allowed = type === "number" && format.startsWith("int") ? "a whole number" : words;
    return {
        message: `has ${describeType(value)}; allowed: ${allowed}`,
        fix: { [key]: convertValue(type, value) },
    };
}

function describeType(value: unknown): string {
    if (Array.isArray(value)) return "a list";
    if (typeof value === "string") return "text";
    if (typeof value === "boolean") return "true or false";
    return typeof value === "number" ? "a number" : "a map";
}

function convertValue(type: string, value: unknown): unknown {
    if (type === "string") return typeof value === "object" ? "…" : `${value as number}`;
    if (
        type === "number" &&
        typeof value === "string" &&
        value !== "" &&
        Number.isFinite(Number(value))
    ) {
        return Math.round(Number(value));
    }
    if (type === "number" && typeof value === "number") return Math.round(value);
    return `… # ${TYPES.find(([one]) => one.test(type))?.[1] ?? type}`;
}

function unknownField(key: string, attributes: readonly Attribute[]): FieldError {
    const near = attributes
        .map(({ baseName }) => ({
            baseName,
            edits: editDistance(key.toLowerCase(), baseName.toLowerCase()),
        }))
        .sort((one, other) => one.edits - other.edits)
        .find(({ edits }) => edits <= Math.max(1, key.length / 3));
    return {
        message: `has the unknown field ${key}${near ? `; did you mean ${near.baseName}?` : ""}`,
        fix: near ? { [near.baseName]: "…" } : `# remove ${key}`,
    };
}

/** Levenshtein distance. */
function editDistance(one: string, other: string): number {
    let row = Array.from({ length: other.length + 1 }, (_, at) => at);
    for (const [line, letter] of [...one].entries()) {
        const next = [line + 1];
        for (const [at, with_] of [...other].entries()) {
            const kept = (row[at] ?? 0) + (letter === with_ ? 0 : 1);
            next.push(Math.min(kept, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
        }
        row = next;
    }
    return row.at(-1) ?? 0;
}
