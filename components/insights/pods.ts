import {
    INSIGHTS_SECRET,
    MONITORING_NAMES,
    PORTS,
    PROMETHEUS_ACCESS,
} from "@property-search/contract";
import type * as k8s from "@pulumi/kubernetes";
import { serviceHost } from "../addresses.ts";
import { containerResources, containerSecurityContext, type Resources } from "../workload.ts";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;
type SecretKey = Exclude<keyof typeof INSIGHTS_SECRET, "name">;

const SECRETS_FOLDER = "/etc/insights";
const PROMETHEUS_FOLDER = "/etc/prometheus-access";

/** Of each container: the analysis of 50 tenants takes 210 MiB at most (docs/insights.md). */
export const INSIGHTS_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "1",
    memoryRequest: "256Mi",
    memoryLimit: "512Mi",
};

/** The program and the Prometheus that it reads. */
export interface InsightsProgram {
    readonly image: string;
    /** An existing Prometheus. Undefined: the stack's own. */
    readonly prometheus?: { readonly url: string; readonly authorized: boolean } | undefined;
}

/** A container that runs a command of insights. `folder` is the only one that it may write. */
export function insightsContainer(
    { image, prometheus }: InsightsProgram,
    { name, args, folder }: { name: string; args: readonly string[]; folder: string },
): Container {
    const { prometheus: host } = MONITORING_NAMES;
    const url = prometheus?.url ?? `http://${serviceHost(host, "monitoring")}:${PORTS.prometheus}`;
    const token = `${PROMETHEUS_FOLDER}/${PROMETHEUS_ACCESS.token}`;
    const isAuthorized = prometheus?.authorized === true;
    return {
        name,
        image,
        imagePullPolicy: "IfNotPresent",
        args: [
            name,
            `--prometheus=${url}`,
            ...(isAuthorized ? [`--token-file=${token}`] : []),
            ...args,
        ],
        resources: containerResources(INSIGHTS_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [
            { name: "data", mountPath: folder },
            { name: "secrets", mountPath: SECRETS_FOLDER, readOnly: true },
            ...(isAuthorized
                ? [{ name: "prometheus", mountPath: PROMETHEUS_FOLDER, readOnly: true }]
                : []),
        ],
    };
}

/** Path of a mounted secret. */
export function secretFile(key: SecretKey): string {
    return `${SECRETS_FOLDER}/${INSIGHTS_SECRET[key]}`;
}

/** Volumes of a pod with some of the secrets, besides `data`. */
export function secretVolumes(
    { prometheus }: InsightsProgram,
    keys: readonly SecretKey[],
): Volume[] {
    const items = keys.map((key) => ({ key: INSIGHTS_SECRET[key], path: INSIGHTS_SECRET[key] }));
    const secret = (secretName: string, more = {}) => ({ secretName, defaultMode: 0o440, ...more });
    return [
        { name: "secrets", secret: secret(INSIGHTS_SECRET.name, { items }) },
        ...(prometheus?.authorized === true
            ? [{ name: "prometheus", secret: secret(PROMETHEUS_ACCESS.name) }]
            : []),
    ];
}
