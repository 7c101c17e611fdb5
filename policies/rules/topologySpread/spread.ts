import type { V1LabelSelector, V1PodAffinityTerm, V1PodSpec } from "@kubernetes/client-node";
import type { Pod } from "../../kubernetes/pods.ts";
import { matchesSelector } from "../../kubernetes/stack.ts";

/** The label that distinguishes the revisions of a Deployment's pods. */
export const REVISION_LABEL = "pod-template-hash";

/** @returns whether pods of the workload have a required or preferred anti-affinity among themselves. */
export function hasAntiAffinity({ spec, labels }: Pod): boolean {
    return antiAffinity(spec).some(({ labelSelector }) => selects(labelSelector, labels));
}

/** @returns whether the selector of a constraint or term matches; an absent selector matches no pod. */
export function selects(selector: V1LabelSelector | undefined, labels: Pod["labels"]): boolean {
    return selector !== undefined && matchesSelector(selector, labels);
}

/** Proposes a constraint that spreads pods over nodes and still schedules them if that is impossible. */
export function createSpread({ object, labels }: Pod) {
    const constraint = {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels },
    };
    const perRevision = object.kind === "Deployment" ? { matchLabelKeys: [REVISION_LABEL] } : {};
    return { topologySpreadConstraints: [{ ...constraint, ...perRevision }] };
}

function antiAffinity({ affinity }: V1PodSpec): V1PodAffinityTerm[] {
    const {
        requiredDuringSchedulingIgnoredDuringExecution: required = [],
        preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
    } = affinity?.podAntiAffinity ?? {};
    return [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)];
}
