import { isDeepStrictEqual } from "node:util";
import type { EngineEvent, StepMetadata } from "./events.ts";

/** A property that an update changes; a side is undefined if the property is absent. */
export interface PropertyChange {
    readonly path: string;
    readonly before: unknown;
    readonly after: unknown;
}

/** A resource that an update changes. */
export interface Change {
    /** `create`, `update`, `replace` or `delete`. */
    readonly op: string;
    /** Kind of the object, such as `Deployment`. */
    readonly kind: string;
    /** Name in the cluster with its namespace, else the resource's name. */
    readonly name: string;
    /** Component that declares it. */
    readonly component: string;
    readonly properties: readonly PropertyChange[];
}

export interface Violation {
    readonly policy: string;
    readonly isMandatory: boolean;
    readonly resource: string;
    readonly message: string;
}

/** Result of a preview. */
export interface PreviewSummary {
    readonly changes: readonly Change[];
    readonly violations: readonly Violation[];
    /** Errors and warnings of the program, the engine and the providers, without duplicates. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
    /** Number of unchanged resources. */
    readonly unchanged: number;
}

/** Operations without a change. */
const UNCHANGED_OPS = ["same", "read", "refresh", "read-replacement", "read-discard", "discard"];
/** Parts of a replacement, which counts as one change. */
const REPLACEMENT_OPS = ["create-replacement", "delete-replaced", "import-replacement"];

/** Irrelevant diagnostics: about the CLI's own files, and about steps that were cancelled by another failure. */
const NOISE = /^using pulumi-\S+ from \$PATH|^failed to run remediation: context canceled$/;

/** Summarizes the engine's events of a preview. */
export function summarizeEvents(events: readonly EngineEvent[]): PreviewSummary {
    const steps = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
    const componentOf = createComponentLookup(events);
    const changes = steps
        .filter(
            ({ op, type }) =>
                !UNCHANGED_OPS.includes(op) && !REPLACEMENT_OPS.includes(op) && isResource(type),
        )
        .map((step) => changeOf(step, componentOf(step)));
    const violations = events.flatMap(({ policyEvent }) =>
        policyEvent === undefined
            ? []
            : {
                  policy: policyEvent.policyName,
                  isMandatory: policyEvent.enforcementLevel === "mandatory",
                  resource: nameOf(policyEvent.resourceUrn ?? ""),
                  message: stripMarkup(policyEvent.message),
              },
    );
    const messages = (severity: string) => [
        ...new Set(
            events
                .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
                .filter((one) => one.severity === severity && one.ephemeral !== true)
                .map((one) => stripMarkup(one.message))
                .filter((text) => text !== "" && !NOISE.test(text)),
        ),
    ];
    return {
        changes,
        violations,
        errors: messages("error"),
        warnings: messages("warning"),
        unchanged: steps.filter(({ op, type }) => op === "same" && isResource(type)).length,
    };
}

/** Excludes components, the stack and providers. */
function isResource(type: string): boolean {
    return !type.startsWith("pulumi:") && !type.startsWith("property-search:");
}

/** Returns a lookup of the outermost component of a step; the resource itself if it has none. */
function createComponentLookup(events: readonly EngineEvent[]): (step: StepMetadata) => string {
    const parents = new Map(
        events
            .flatMap((event) => event.resourcePreEvent ?? event.resOutputsEvent ?? [])
            .map(({ metadata }) => [metadata.urn, (metadata.new ?? metadata.old)?.parent ?? ""]),
    );
    return ({ urn, ...step }) => {
        let outermost = urn;
        for (
            let parent = (step.new ?? step.old)?.parent ?? "";
            ;
            parent = parents.get(parent) ?? ""
        ) {
            if (parent === "" || parent.includes("::pulumi:pulumi:Stack::"))
                return nameOf(outermost);
            outermost = parent;
        }
    };
}

function changeOf(step: StepMetadata, component: string): Change {
    const { urn, type, op } = step;
    const inputs = (step.new ?? step.old)?.inputs ?? {};
    const { namespace, name } = (inputs.metadata ?? {}) as Record<string, unknown>;
    const full = [namespace, name].filter((part) => typeof part === "string").join("/");
    return {
        op,
        kind: typeof inputs.kind === "string" ? inputs.kind : (type.split(":").at(-1) ?? type),
        name: full || nameOf(urn),
        component,
        properties: op === "create" || op === "delete" ? [] : propertiesOf(step),
    };
}

function propertiesOf({ old, new: next, detailedDiff }: StepMetadata): PropertyChange[] {
    if (!detailedDiff) return old && next ? diffValues(old.inputs, next.inputs) : [];
    return Object.entries(detailedDiff)
        .map(([path, { inputDiff }]) => {
            const keys = keysOf(path);
            const before =
                valueAt(inputDiff ? old?.inputs : old?.outputs, keys) ?? valueAt(old?.inputs, keys);
            return { path, before, after: valueAt(next?.inputs, keys) };
        })
        .toSorted((a, b) => a.path.localeCompare(b.path));
}

/** Finds differing properties if the provider does not report them. */
function diffValues(before: unknown, after: unknown, path = ""): PropertyChange[] {
    if (isDeepStrictEqual(before, after)) return [];
    if (!isNested(before) || !isNested(after)) return [{ path, before, after }];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
        diffValues(before[key], after[key], path === "" ? key : `${path}.${key}`),
    );
}

function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null;
}

/** Splits paths such as `spec.ports[0].name` and `data["a.b"]`. */
export function keysOf(path: string): readonly string[] {
    return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
        ([, quoted, index, word]) => quoted?.replaceAll('\\"', '"') ?? index ?? word ?? "",
    );
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
    return keys.reduce<unknown>(
        (inner, key) =>
            typeof inner === "object" && inner !== null
                ? (inner as Readonly<Record<string, unknown>>)[key]
                : undefined,
        value,
    );
}

function nameOf(urn: string): string {
    return urn.split("::").at(-1) ?? urn;
}

/** Replaces URNs by names, and removes colour codes of the CLI, such as `<{%fg 1%}>`, and of terminals. */
function stripMarkup(text: string): string {
    // eslint forbids control characters in expressions.
    const escape = String.fromCodePoint(27);
    return text
        .replaceAll(/<\{%.*?%\}>/g, "")
        .replaceAll(new RegExp(`${escape}\\[[\\d;]*m`, "g"), "")
        .replaceAll(/urn:pulumi:[^\s"']+/g, nameOf)
        .trim();
}
