import type { Static, TObject, TProperties } from "typebox";
import type { Cel } from "../cel/cel.ts";
import type { KubernetesObject, Place } from "../kubernetes/object.ts";
import { podOf, type Container, type Pod } from "../kubernetes/pods.ts";
import type { Stack } from "../kubernetes/stack.ts";

export type Level = "mandatory" | "advisory" | "disabled";
export type Severity = "low" | "medium" | "high" | "critical";

export interface Framework {
    readonly name: string;
    readonly version: string;
    readonly reference: string;
    readonly specification: string;
}

/** What is wrong in one place. */
export interface Finding {
    /** After "container x": or after the object's name, and a colon; without a full stop. */
    readonly what: string;
    /** Of the field, below the container or pod or object that the rule was given. */
    readonly at: string;
    /** The container, where the rule was given something larger. */
    readonly container?: string;
    /** Something is not there; a Patch need not have it. */
    readonly isMissing?: boolean;
    /** What to write, as it goes into the manifest. */
    readonly fix?: unknown;
}

export interface About {
    readonly name: string;
    /** What it demands, in a sentence. */
    readonly title: string;
    /** What happens otherwise, in a sentence. */
    readonly why: string;
    readonly severity: Severity;
    readonly level: Level;
    readonly url: string;
    readonly framework?: Framework;
}

/** What a rule is shown at a time. */
export interface Subject {
    readonly object: KubernetesObject;
    readonly container?: string;
    /** Before a finding's `at`. */
    readonly path: string;
    readonly findings: (settings: never, stack: Stack) => Iterable<Finding>;
}

export interface Rule extends About {
    readonly settings: TProperties;
    /** `stack`: it has to see all objects at once. */
    readonly scope: "object" | "stack";
    /** What of an object it looks at, each by itself, so that what is unknown in one hides no other. */
    readonly subjects: (object: KubernetesObject) => Iterable<Subject>;
    /**
     * Sets what is missing and safe to set, in place; never what is set already. Twice is as once.
     */
    readonly remedy?: (pod: Pod, settings: never) => void;
    /** The same for the API server's admission, one a thing that it says. */
    readonly admission?: (settings: never) => readonly Admission[];
    /** Objects that admission looks at. Default: pods, and what makes them. */
    readonly admits?: Admitted;
    /** What of it is not said at admission, and why, after "all but". */
    readonly unsaid?: string;
}

export type Admitted = "pods" | "roles";

/** One thing that a rule says, in expressions of the API server (cel/cel.ts). */
export interface Admission {
    /** Whether the settings ask for it. Default: true */
    readonly asked?: boolean;
    /** What is looked at: each container, which is `c`; the pod, `variables.pod`; the object. Default: containers */
    readonly of?: "containers" | "serving" | "pod" | "object";
    /** Lists in it, each element of which is looked at by itself, by a name that those after it may use. */
    readonly each?: Readonly<Record<string, Cel>>;
    /** Default: each is */
    readonly violated?: Cel;
    /** As in a finding. */
    readonly what: Cel | string;
    readonly at: Cel | string;
}

type Described<S extends TProperties> = About & {
    /** Thresholds, each with a default and a description. Default: none */
    readonly settings?: S;
    readonly admission?: (settings: SettingsOf<S>) => readonly Admission[];
    readonly admits?: Admitted;
    readonly unsaid?: string;
    readonly remedy?: (pod: Pod, settings: SettingsOf<S>) => void;
};

export type SettingsOf<S extends TProperties> = Static<TObject<S>>;

const EPHEMERAL = "ephemeral containers, which only a pod that runs can get";

/** A rule that is about one container at a time, init containers and sidecars among them. */
export function containerRule<S extends TProperties = TProperties>({
    check,
    checkPod,
    ephemeral = false,
    ...rest
}: Described<S> & {
    readonly check: (container: Container, settings: SettingsOf<S>) => Iterable<Finding>;
    /** What it asks of the pod itself besides. */
    readonly checkPod?: (pod: Pod, settings: SettingsOf<S>) => Iterable<Finding>;
    /** Of ephemeral containers too, which can have no probes, ports or resources. Default: false */
    readonly ephemeral?: boolean;
}): Rule {
    const about = ephemeral ? { unsaid: EPHEMERAL, ...rest } : rest;
    return rule(about, "object", function* (object) {
        const pod = podOf(object);
        if (!pod) return;
        if (checkPod) yield { object, path: pod.path, findings: (s) => checkPod(pod, s) };
        const subject = (container: Container): Subject => {
            const { name, path } = container;
            return { object, container: name, path, findings: (s) => check(container, s) };
        };
        yield* pod.containers.map(subject);
        if (ephemeral) yield* pod.ephemeral.map(subject);
    });
}

/** A rule that is about a pod: its template, and the object that makes it. */
export function podRule<S extends TProperties = TProperties>({
    check,
    ...rest
}: Described<S> & {
    readonly check: (pod: Pod, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return rule(rest, "object", function* (object) {
        const pod = podOf(object);
        if (pod) yield { object, path: pod.path, findings: (s) => check(pod, s) };
    });
}

/** A rule that is about objects of some kinds, each by itself. */
export function objectRule<S extends TProperties = TProperties>({
    kinds,
    check,
    ...rest
}: Described<S> & {
    readonly kinds: readonly string[];
    readonly check: (object: KubernetesObject, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return rule(rest, "object", function* (object) {
        if (kinds.includes(object.kind)) {
            yield { object, path: "", findings: (s) => check(object, s) };
        }
    });
}

/** A rule that is about places of its own, each by itself. */
export function placeRule<T, S extends TProperties = TProperties>({
    places,
    check,
    scope = "object",
    ...rest
}: Described<S> & {
    /** `stack`: asked once all is known that a preview can know. Default: object */
    readonly scope?: Rule["scope"];
    readonly places: (object: KubernetesObject) => Iterable<Place<T>>;
    readonly check: (value: T, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return rule(rest, scope, function* (object) {
        for (const { read, ...place } of places(object)) {
            yield { object, ...place, findings: (s) => check(read(), s) };
        }
    });
}

/**
 * A rule that is about objects of some kinds, beside all others of the stack. Not about a Patch, whose object
 * is somebody else's and may have what the Patch does not show.
 */
export function stackRule<S extends TProperties = TProperties>({
    kinds,
    check,
    ...rest
}: Described<S> & {
    readonly kinds: readonly string[];
    readonly check: (
        object: KubernetesObject,
        stack: Stack,
        settings: SettingsOf<S>,
    ) => Iterable<Finding>;
}): Rule {
    return rule(rest, "stack", function* (object) {
        if (kinds.includes(object.kind) && !object.isPatch) {
            yield { object, path: "", findings: (s, stack) => check(object, stack, s) };
        }
    });
}

/** A rule that is about objects of every kind, beside all others of the stack. */
export function anyRule<S extends TProperties = TProperties>({
    check,
    ...rest
}: Described<S> & {
    readonly check: (
        object: KubernetesObject,
        stack: Stack,
        settings: SettingsOf<S>,
    ) => Iterable<Finding>;
}): Rule {
    return rule(rest, "stack", function* (object) {
        if (!object.isPatch)
            yield { object, path: "", findings: (s, stack) => check(object, stack, s) };
    });
}

function rule<S extends TProperties>(
    { settings, remedy, admission, ...about }: Described<S>,
    scope: Rule["scope"],
    subjects: Rule["subjects"],
): Rule {
    return {
        ...about,
        settings: settings ?? {},
        scope,
        subjects,
        ...(remedy && { remedy }),
        ...(admission && { admission }),
    };
}
