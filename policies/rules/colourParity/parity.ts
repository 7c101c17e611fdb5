import { isJson, type Json } from "../../kubernetes/object.ts";

/** A field with different values in two objects; undefined if an object lacks the field. */
export interface Difference {
    /** Such as `spec.template.spec.containers[service].env[CACHE_TTL].value`. */
    readonly path: string;
    readonly left: unknown;
    readonly right: unknown;
}

/** Rules for comparing two objects. */
export interface Likeness {
    /** Converts a name of the left object to the corresponding name of the right one. */
    readonly renamed: (name: string) => string;
    readonly isSame: (left: string, right: string) => boolean;
    /** Whether a path is ignored; its value is not read and may be unknown. */
    readonly isExempt: (path: string) => boolean;
}

/** Compares two values field by field. Elements of lists are matched by name if all of them have one. */
export function* findDifferences(
    left: unknown,
    right: unknown,
    likeness: Likeness,
    path = "",
): Generator<Difference, void> {
    const mine = listSteps(left, likeness.renamed);
    const others = listSteps(right);
    if (!mine || !others) {
        const isText = typeof left === "string" && typeof right === "string";
        const same = isText ? likeness.isSame(left, right) : left === right;
        if (!same) yield { path, left, right };
        return;
    }
    for (const name of new Set([...mine.keys(), ...others.keys()])) {
        const [one, other] = [mine.get(name), others.get(name)];
        const below = `${path}${(one ?? other)?.step}`.replace(/^\./, "");
        if (likeness.isExempt(below)) continue;
        yield* findDifferences(stepInto(left, one), stepInto(right, other), likeness, below);
    }
}

/** A step of a path (`.field`, `[name]` or `[0]`) and its key. */
interface Step {
    readonly step: string;
    readonly key: string;
}

/** Lists the steps below a value, by the names of the other side. */
function listSteps(
    value: unknown,
    renamed = (name: string) => name,
): ReadonlyMap<string, Step> | undefined {
    if (isJson(value)) {
        return new Map(Object.keys(value).map((key) => [renamed(key), { step: `.${key}`, key }]));
    }
    if (!Array.isArray(value)) return undefined;
    const names = value.map((one: unknown) => (isJson(one) ? one.name : undefined));
    const isNamed = names.every((name) => typeof name === "string");
    return new Map(
        names.map((name, index) => {
            const step = isNamed ? String(name) : `${index}`;
            return [renamed(step), { step: `[${step}]`, key: `${index}` }];
        }),
    );
}

function stepInto(value: unknown, step: Step | undefined): unknown {
    return step && (value as Json)[step.key];
}

/** Formats a value, truncated to 120 characters. */
export function formatValue(value: unknown): string {
    const text = value === undefined ? "none" : JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
