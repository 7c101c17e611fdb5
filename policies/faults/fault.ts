import { isJson, type Json } from "../kubernetes/object.ts";

/** One thing that somebody may get wrong in a manifest, and the rule that has to find it. */
export interface Fault {
    readonly rule: string;
    readonly name: string;
    /** The places of an object in which it can be made. */
    readonly places: (object: Draft, all: readonly Draft[]) => Iterable<Place>;
}

export interface Place {
    /** Below the object, such as a container's name; empty for the object itself. */
    readonly where: string;
    /** Makes it, in the copy of all objects that `object` and `all` were. */
    readonly make: () => void;
}

export interface Mutant {
    readonly name: string;
    readonly claimedBy: string;
    readonly objects: readonly Json[];
    /** What has changed, or whose neighbour it is that has. */
    readonly changed: Json;
}

/** A manifest that is being damaged. */
export type Draft = any;

/** All objects, with one fault more in each mutant, for every place in which it can be made. */
export function* mutantsOf(
    faults: readonly Fault[],
    objects: readonly Json[],
): Generator<Mutant, void> {
    for (const fault of faults) {
        for (const [index, object] of objects.entries()) {
            const count = [...fault.places(object, objects)].length;
            for (let place = 0; place < count; place += 1) {
                yield mutant(fault, objects, index, place);
            }
        }
    }
}

function mutant(fault: Fault, objects: readonly Json[], index: number, at: number): Mutant {
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

/** A deep copy of the same realm, which structuredClone's is not where tests run. */
export function copy<T>(value: T): T {
    return JSON.parse(JSON.stringify(value)) as T;
}

/** A fault of containers: in each of those that `can` say yes to. */
export function inContainers(
    rule: string,
    name: string,
    make: (container: Draft, pod: Draft) => void,
    can: (container: Draft, pod: Draft, object: Draft) => boolean = () => true,
): Fault {
    return {
        rule,
        name,
        *places(object) {
            const pod = specOf(object);
            for (const container of pod?.containers ?? []) {
                if (can(container, pod, object)) {
                    yield { where: container.name as string, make: () => make(container, pod) };
                }
            }
        },
    };
}

/** A fault of pods. */
export function inPods(
    rule: string,
    name: string,
    make: (pod: Draft, object: Draft) => void,
    can: (pod: Draft, object: Draft) => boolean = () => true,
): Fault {
    return {
        rule,
        name,
        *places(object) {
            const pod = specOf(object);
            if (pod && can(pod, object)) yield { where: "", make: () => make(pod, object) };
        },
    };
}

/** A fault of objects of a kind. */
export function inObjects(
    rule: string,
    kind: string | readonly string[],
    name: string,
    make: (object: Draft, all: readonly Draft[]) => void,
    can: (object: Draft, all: readonly Draft[]) => boolean = () => true,
): Fault {
    return {
        rule,
        name,
        *places(object, all) {
            if ([kind].flat().includes(object.kind as string) && can(object, all)) {
                yield { where: "", make: () => make(object, all) };
            }
        },
    };
}

/** For `make`: takes an object away. */
export function remove(object: Draft): void {
    object.removed = true;
}

export function specOf(object: Draft): Draft {
    const spec: unknown = object.spec?.template?.spec;
    return isJson(spec) ? spec : undefined;
}

/** Changes the first of some labels, so that a selector of them takes nothing. */
export function offByOne(labels: Draft): void {
    const [key = ""] = Object.keys(labels as object);
    labels[key] = `${labels[key]}-1`;
}
