import type { Draft } from "./mutation.ts";

/* Predicates on manifests that the mutations of several rules share. */

export const removeTag = (image: string) => image.replace(/(@.*|:[^:/]*)$/, "");
export const hasProbe = (probe: string) => (container: Draft) => container[probe] !== undefined;
export const hasBothProbes = (container: Draft) =>
    hasProbe("livenessProbe")(container) && hasProbe("readinessProbe")(container);
export const hasHttpLiveness = (container: Draft) => container.livenessProbe?.httpGet !== undefined;
export const hasRequest = (resource: string) => (container: Draft) =>
    container.resources?.requests?.[resource] !== undefined;
export const hasLimit = (resource: string) => (container: Draft) =>
    container.resources?.limits?.[resource] !== undefined;
export const isScalerOf = (scaler: Draft, { kind, metadata }: Draft) => {
    const { kind: of = "Deployment", name } = scaler.spec?.scaleTargetRef ?? {};
    return (
        name === metadata.name && of === kind && scaler.metadata.namespace === metadata.namespace
    );
};
export const hasSeveralReplicas = (workload: Draft, all: readonly Draft[]) =>
    workload.spec.replicas > 1 || all.some((one) => isScalerOf(one, workload));
export const WORKLOADS = ["Deployment", "StatefulSet"];
