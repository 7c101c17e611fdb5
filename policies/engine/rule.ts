import type { Static, TObject, TProperties } from "typebox";
import type { Cel } from "../cel/cel.ts";
import type { KubernetesObject, Place } from "../kubernetes/object.ts";
import { getPod, type Container, type Pod } from "../kubernetes/pods.ts";
import type { Stack } from "../kubernetes/stack.ts";

export type Level = "mandatory" | "advisory" | "disabled";
export type Severity = "low" | "medium" | "high" | "critical";

export interface Framework {
    readonly name: string;
    readonly version: string;
    readonly reference: string;
    readonly specification: string;
}

/** An entry of the OWASP Kubernetes Top Ten. */
export function owasp(reference: string, specification: string): Framework {
    return { name: "OWASP Kubernetes Top Ten", version: "2022", reference, specification };
}

/** A problem at one location. */
export interface Finding {
    /** Text after "container x: " or after the object's name and a colon; without a full stop. */
    readonly message: string;
    /** Path of the field below the subject that the rule checks. */
    readonly path: string;
    /** The container, if the subject is larger than one. */
    readonly container?: string;
    /** Whether a field is missing, which a Patch may omit. */
    readonly isMissing?: boolean;
    /** Proposed manifest text or object. */
    readonly fix?: unknown;
}

export interface RuleMetadata {
    readonly name: string;
    /** The requirement, in one sentence. */
    readonly title: string;
    /** Consequence of a violation. */
    readonly why: string;
    readonly severity: Severity;
    readonly level: Level;
    readonly url: string;
    readonly framework?: Framework;
}

/** The part of an object that a rule checks at a time. */
export interface Subject {
    readonly object: KubernetesObject;
    readonly container?: string;
    /** Path that precedes the finding's own. */
    readonly path: string;
    readonly findings: (settings: never, stack: Stack) => Iterable<Finding>;
}

export interface Rule extends RuleMetadata {
    readonly settings: TProperties;
    /** `stack`: the rule needs all objects at once. */
    readonly scope: "object" | "stack";
    /** Parts of an object that are checked separately, so that an unknown value affects only its own part. */
    readonly subjects: (object: KubernetesObject) => Iterable<Subject>;
    /** Sets missing fields with safe values in place. Idempotent; never changes existing values. */
    readonly remediate?: (pod: Pod, settings: never) => void;
    /** The same checks for admission by the API server, one per kind of finding. */
    readonly admission?: (settings: never) => readonly AdmissionCheck[];
    /** Objects that admission checks. Default: pods and their controllers. */
    readonly admissionScope?: AdmissionScope;
    /** Part of the rule that admission does not enforce, with the reason. */
    readonly admissionGap?: string;
}

export type AdmissionScope = "pods" | "roles";

/** One check of a rule as CEL expressions of the API server (cel/cel.ts). */
export interface AdmissionCheck {
    /** Whether the settings enable the check. Default: true */
    readonly enabled?: boolean;
    /** Subject: each container (`c`), each serving container, the pod (`variables.pod`) or the object. Default: containers */
    readonly target?: "containers" | "serving" | "pod" | "object";
    /** Lists to iterate over, by the name of their element; later lists may use earlier names. */
    readonly each?: Readonly<Record<string, Cel>>;
    /** Default: true */
    readonly violated?: Cel;
    /** As in a finding. */
    readonly message: Cel | string;
    readonly path: Cel | string;
}

type RuleArgs<S extends TProperties> = RuleMetadata & {
    /** Thresholds with default and description. Default: none */
    readonly settings?: S;
    readonly admission?: (settings: SettingsOf<S>) => readonly AdmissionCheck[];
    readonly admissionScope?: AdmissionScope;
    readonly admissionGap?: string;
    readonly remediate?: (pod: Pod, settings: SettingsOf<S>) => void;
};

export type SettingsOf<S extends TProperties> = Static<TObject<S>>;

const EPHEMERAL_GAP = "ephemeral containers, which can only be added to a running pod";

/** Creates a rule about single containers, including init containers and sidecars. */
export function containerRule<S extends TProperties = TProperties>({
    check,
    checkPod,
    ephemeral = false,
    ...rest
}: RuleArgs<S> & {
    readonly check: (container: Container, settings: SettingsOf<S>) => Iterable<Finding>;
    /** Additional check of the pod itself. */
    readonly checkPod?: (pod: Pod, settings: SettingsOf<S>) => Iterable<Finding>;
    /** Whether to check ephemeral containers too, which have no probes, ports or resources. Default: false */
    readonly ephemeral?: boolean;
}): Rule {
    const about = ephemeral ? { admissionGap: EPHEMERAL_GAP, ...rest } : rest;
    return createRule(about, "object", function* (object) {
        const pod = getPod(object);
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

/** Creates a rule about pods: their template and the object that creates them. */
export function podRule<S extends TProperties = TProperties>({
    check,
    ...rest
}: RuleArgs<S> & {
    readonly check: (pod: Pod, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return createRule(rest, "object", function* (object) {
        const pod = getPod(object);
        if (pod) yield { object, path: pod.path, findings: (s) => check(pod, s) };
    });
}

/** Creates a rule about single objects of some kinds. */
export function objectRule<S extends TProperties = TProperties>({
    kinds,
    check,
    ...rest
}: RuleArgs<S> & {
    readonly kinds: readonly string[];
    readonly check: (object: KubernetesObject, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return createRule(rest, "object", function* (object) {
        if (kinds.includes(object.kind)) {
            yield { object, path: "", findings: (s) => check(object, s) };
        }
    });
}

/** Creates a rule about single places that it selects itself. */
export function placeRule<T, S extends TProperties = TProperties>({
    places,
    check,
    scope = "object",
    ...rest
}: RuleArgs<S> & {
    /** `stack`: checked at the end of a preview. Default: object */
    readonly scope?: Rule["scope"];
    readonly places: (object: KubernetesObject) => Iterable<Place<T>>;
    readonly check: (value: T, settings: SettingsOf<S>) => Iterable<Finding>;
}): Rule {
    return createRule(rest, scope, function* (object) {
        for (const { read, ...place } of places(object)) {
            yield { object, ...place, findings: (s) => check(read(), s) };
        }
    });
}

/**
 * Creates a rule about objects in the context of the whole stack. Patches are skipped: another owner's object may
 * have fields that the Patch does not show.
 */
export function stackRule<S extends TProperties = TProperties>({
    kinds,
    check,
    ...rest
}: RuleArgs<S> & {
    /** Default: every kind */
    readonly kinds?: readonly string[];
    readonly check: (
        object: KubernetesObject,
        stack: Stack,
        settings: SettingsOf<S>,
    ) => Iterable<Finding>;
}): Rule {
    return createRule(rest, "stack", function* (object) {
        if (object.isPatch || kinds?.includes(object.kind) === false) return;
        yield { object, path: "", findings: (s, stack) => check(object, stack, s) };
    });
}

function createRule<S extends TProperties>(
    { settings, remediate, admission, ...about }: RuleArgs<S>,
    scope: Rule["scope"],
    subjects: Rule["subjects"],
): Rule {
    return {
        ...about,
        settings: settings ?? {},
        scope,
        subjects,
        ...(remediate && { remediate }),
        ...(admission && { admission }),
    };
}
