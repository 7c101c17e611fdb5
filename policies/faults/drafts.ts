import type { Draft } from "./fault.ts";

/* What faults of several rules ask of a manifest that they are about to break. */

export const repository = (image: string) => image.replace(/(@.*|:[^:/]*)$/, "");
export const has = (probe: string) => (container: Draft) => container[probe] !== undefined;
export const both = (container: Draft) =>
    has("livenessProbe")(container) && has("readinessProbe")(container);
export const byHttp = (container: Draft) => container.livenessProbe?.httpGet !== undefined;
export const asks = (what: string) => (container: Draft) =>
    container.resources?.requests?.[what] !== undefined;
export const limits = (what: string) => (container: Draft) =>
    container.resources?.limits?.[what] !== undefined;
export const scales = (scaler: Draft, { kind, metadata }: Draft) => {
    const { kind: of = "Deployment", name } = scaler.spec?.scaleTargetRef ?? {};
    return (
        name === metadata.name && of === kind && scaler.metadata.namespace === metadata.namespace
    );
};
export const several = (workload: Draft, all: readonly Draft[]) =>
    workload.spec.replicas > 1 || all.some((one) => scales(one, workload));
export const WORKLOADS = ["Deployment", "StatefulSet"];
