import type { V1LabelSelector, V1PodAffinityTerm, V1PodSpec } from "@kubernetes/client-node";
import type { Pod } from "../../kubernetes/pods.ts";
import { matches } from "../../kubernetes/stack.ts";

/** The label of a Deployment's pods that tells its revisions apart. */
export const REVISION = "pod-template-hash";

/** Whether pods of the same kind are kept apart, or better be, by anti-affinity among themselves. */
export function isApart({ spec, labels }: Pod): boolean {
    return antiAffinity(spec).some(({ labelSelector }) => takes(labelSelector, labels));
}

/** Of a constraint or a term: where there is no selector, no pod is meant. */
export function takes(selector: V1LabelSelector | undefined, labels: Pod["labels"]): boolean {
    return selector !== undefined && matches(selector, labels);
}

/** What spreads pods over nodes where it can, and starts them where it cannot. */
export function spreadOf({ object, labels }: Pod) {
    const constraint = {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labels },
    };
    const perRevision = object.kind === "Deployment" ? { matchLabelKeys: [REVISION] } : {};
    return { topologySpreadConstraints: [{ ...constraint, ...perRevision }] };
}

function antiAffinity({ affinity }: V1PodSpec): V1PodAffinityTerm[] {
    const {
        requiredDuringSchedulingIgnoredDuringExecution: required = [],
        preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
    } = affinity?.podAntiAffinity ?? {};
    return [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)];
}
