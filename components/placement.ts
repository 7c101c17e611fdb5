import * as pulumi from "@pulumi/pulumi";

export interface Toleration {
    readonly key?: string;
    readonly operator?: string;
    readonly value?: string;
    readonly effect?: string;
    /** Seconds. */
    readonly tolerationSeconds?: number;
}

/** Settings that every workload of a stack has. */
export interface Placement {
    /** Existing Secrets of each namespace, with which its pods pull images. */
    readonly pullSecrets: readonly string[];
    /** Content of `~/.docker/config.json`, for a Secret in each namespace. Undefined: none is made. */
    readonly registryCredentials: pulumi.Input<string> | undefined;
    readonly nodeSelector: Readonly<Record<string, string>>;
    readonly tolerations: readonly Toleration[];
    /** Undefined: the cluster's default class. */
    readonly priorityClassName: string | undefined;
    /** Whether pods name their user and groups; otherwise the cluster gives them some. */
    readonly fixedIds: boolean;
    /** Of the workloads and their pods; never of selectors. */
    readonly labels: Readonly<Record<string, string>>;
}

/** Name of the Secret with a stack's own credentials of the registry. */
export const REGISTRY_SECRET = "registry-credentials";

const WORKLOAD = /^kubernetes:(apps|batch)\/v1:(Deployment|StatefulSet|DaemonSet|Job|CronJob)$/;

interface Metadata {
    labels?: Record<string, string>;
}

interface Template {
    metadata?: Metadata;
    spec?: Record<string, unknown>;
}

interface Workload {
    metadata?: Metadata;
    spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
}

/**
 * Gives every workload that is declared after this call a stack's placement. Not by an argument of each
 * component: one that forgot it would only be found on a cluster that needs it.
 */
export function applyPlacement(placement: Placement): void {
    pulumi.runtime.registerStackTransformation(({ type, props, opts }) =>
        WORKLOAD.test(type) ? { props: withPlacement(props, placement), opts } : undefined,
    );
}

function withPlacement({ metadata, spec, ...rest }: Workload, placement: Placement): Workload {
    const { jobTemplate } = spec ?? {};
    return {
        ...rest,
        metadata: withLabels(metadata, placement),
        spec: {
            ...spec,
            ...(spec?.template && { template: withPodPlacement(spec.template, placement) }),
            ...(jobTemplate?.spec?.template && {
                jobTemplate: {
                    ...jobTemplate,
                    spec: {
                        ...jobTemplate.spec,
                        template: withPodPlacement(jobTemplate.spec.template, placement),
                    },
                },
            }),
        },
    };
}

function withPodPlacement(template: Template, placement: Placement): Template {
    return {
        ...template,
        metadata: withLabels(template.metadata, placement),
        spec: {
            ...template.spec,
            ...podPlacement(placement),
            ...(!placement.fixedIds && { securityContext: omitIds(template.spec) }),
        },
    };
}

const IDS: readonly string[] = ["runAsUser", "runAsGroup", "fsGroup"];

/** Ids of a namespace's own range, as OpenShift assigns them, contradict any that a pod names. */
function omitIds(spec: Template["spec"]): object {
    const fields = Object.entries(spec?.securityContext ?? {});
    return Object.fromEntries(fields.filter(([field]) => !IDS.includes(field)));
}

/** Fields of a pod's spec that a placement sets; none where it sets nothing. */
export interface PodPlacement {
    readonly imagePullSecrets?: readonly { readonly name: string }[];
    readonly nodeSelector?: Placement["nodeSelector"];
    readonly tolerations?: readonly Toleration[];
    readonly priorityClassName?: string;
}

/** For pods whose workloads others declare: those of a chart, and those that an operator makes. */
export function podPlacement(placement: Placement): PodPlacement {
    const { nodeSelector, tolerations, priorityClassName } = placement;
    const pullSecrets = pullSecretsOf(placement);
    return {
        ...(pullSecrets.length > 0 && {
            imagePullSecrets: pullSecrets.map((name) => ({ name })),
        }),
        ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
        ...(tolerations.length > 0 && { tolerations }),
        ...(priorityClassName !== undefined && { priorityClassName }),
    };
}

/** Names of the Secrets with which pods pull images. */
export function pullSecretsOf({ pullSecrets, registryCredentials }: Placement): string[] {
    // The API server rejects a pod that lists one of them twice.
    return [
        ...new Set([
            ...pullSecrets,
            ...(registryCredentials === undefined ? [] : [REGISTRY_SECRET]),
        ]),
    ];
}

function withLabels(metadata: Metadata | undefined, { labels }: Placement): Metadata {
    return { ...metadata, labels: { ...labels, ...metadata?.labels } };
}
