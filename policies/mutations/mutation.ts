import { isJson, type Json } from "../kubernetes/object.ts";

/** A deliberate error in a manifest, and the rule that has to report it. */
export interface Mutation {
    readonly rule: string;
    readonly name: string;
    /** Places of an object where it can be applied. */
    readonly places: (object: Draft, all: readonly Draft[]) => Iterable<Place>;
}

/** A mutation of the rule in its folder. */
export type RuleMutation = Omit<Mutation, "rule">;

export interface Place {
    /** Part of the object, such as a container's name; empty for the object itself. */
    readonly where: string;
    /** Applies it to the copies that `object` and `all` refer to. */
    readonly make: () => void;
}

export interface Mutant {
    readonly name: string;
    readonly claimedBy: string;
    readonly objects: readonly Json[];
    /** The changed object, or the one whose neighbour changed. */
    readonly changed: Json;
}

/** A manifest that is being changed. */
export type Draft = any;

/** Creates a mutant for every place of every mutation, each with all objects. */
export function* createMutants(
    faults: readonly Mutation[],
    objects: readonly Json[],
): Generator<Mutant, void> {
    for (const fault of faults) {
        for (const [index, object] of objects.entries()) {
            const count = [...fault.places(object, objects)].length;
            for (let place = 0; place < count; place += 1) {
                yield createMutant(fault, objects, index, place);
            }
        }
    }
}

function createMutant(
    fault: Mutation,
    objects: readonly Json[],
    index: number,
    at: number,
): Mutant {
    const all = copy(objects) as Draft[];
    const changed = all[index];
    const place = [...fault.places(changed, all)][at];
    if (!place) throw new Error(`${fault.name} has no place ${at}`);
    place.make();
    const { kind, metadata } = changed as { kind: string; metadata: Record<string, string> };
    const label = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    return {
        name: `${fault.name}: ${label}${place.where && `, ${place.where}`}`,
        claimedBy: fault.rule,
        objects: all.filter((one) => !(one as { removed?: boolean }).removed),
        changed: changed as Json,
    };
}

/** Deep copy in the same realm, unlike structuredClone in Jest. */
export function copy<T>(value: T): T {
    return JSON.parse(JSON.stringify(value)) as T;
}

/** A mutation of containers for which `can` returns true. */
export function containerMutation(
    name: string,
    make: (container: Draft, pod: Draft) => void,
    can: (container: Draft, pod: Draft, object: Draft) => boolean = () => true,
): RuleMutation {
    return {
        name,
        *places(object) {
            const pod = getPodSpec(object);
            for (const container of pod?.containers ?? []) {
                if (can(container, pod, object)) {
                    yield { where: container.name as string, make: () => make(container, pod) };
                }
            }
        },
    };
}

/** A mutation of pods. */
export function podMutation(
    name: string,
    make: (pod: Draft, object: Draft) => void,
    can: (pod: Draft, object: Draft) => boolean = () => true,
): RuleMutation {
    return {
        name,
        *places(object) {
            const pod = getPodSpec(object);
            if (pod && can(pod, object)) yield { where: "", make: () => make(pod, object) };
        },
    };
}

/** A mutation of objects of a kind. */
export function objectMutation(
    kind: string | readonly string[],
    name: string,
    make: (object: Draft, all: readonly Draft[]) => void,
    can: (object: Draft, all: readonly Draft[]) => boolean = () => true,
): RuleMutation {
    return {
        name,
        *places(object, all) {
            if ([kind].flat().includes(object.kind as string) && can(object, all)) {
                yield { where: "", make: () => make(object, all) };
            }
        },
    };
}

/** Removes an object; for `make`. */
export function remove(object: Draft): void {
    object.removed = true;
}

export function getPodSpec(object: Draft): Draft {
    const spec: unknown = object.spec?.template?.spec;
    return isJson(spec) ? spec : undefined;
}

/** Changes the first label, so that a selector of them matches nothing. */
export function breakLabels(labels: Draft): void {
    const [key = ""] = Object.keys(labels as object);
    labels[key] = `${labels[key]}-1`;
}
