import * as pulumi from "@pulumi/pulumi";

/** A toleration of the pods, as in a pod's spec. */
export interface Toleration {
    readonly key?: string;
    readonly operator?: string;
    readonly value?: string;
    readonly effect?: string;
    /** Seconds that the taint is tolerated. */
    readonly tolerationSeconds?: number;
}

/** Settings of every workload of a stack. */
export interface Placement {
    /** Existing Secrets of each namespace with which its pods pull images. */
    readonly pullSecrets: readonly string[];
    /** Content of `~/.docker/config.json`, for a Secret in each namespace. Undefined: no Secret. */
    readonly registryCredentials: pulumi.Input<string> | undefined;
    /** Labels of the nodes that pods run on. */
    readonly nodeSelector: Readonly<Record<string, string>>;
    /** Tolerations of the pods. */
    readonly tolerations: readonly Toleration[];
    /** PriorityClass of the pods. Undefined: the default class of the cluster. */
    readonly priorityClassName: string | undefined;
    /** Whether pods set their user and group ids. Otherwise the cluster assigns them. */
    readonly fixedIds: boolean;
    /** Labels of the workloads and their pods, but not of selectors. */
    readonly labels: Readonly<Record<string, string>>;
}

/** Name of the Secret with the registry credentials of a stack. */
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
 * Applies a placement to every workload that is declared after this call. As an argument of each component, it could
 * be forgotten, which only a cluster that needs it would show.
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

/** OpenShift assigns ids from a range of the namespace, and rejects pods with other ids. */
function omitIds(spec: Template["spec"]): object {
    const fields = Object.entries(spec?.securityContext ?? {});
    return Object.fromEntries(fields.filter(([field]) => !IDS.includes(field)));
}

/** Fields of a pod's spec that a placement sets. */
export interface PodPlacement {
    readonly imagePullSecrets?: readonly { readonly name: string }[];
    readonly nodeSelector?: Placement["nodeSelector"];
    readonly tolerations?: readonly Toleration[];
    readonly priorityClassName?: string;
}

/** Placement for pods that the program does not declare: those of a chart or an operator. */
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
function pullSecretsOf({ pullSecrets, registryCredentials }: Placement): string[] {
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
