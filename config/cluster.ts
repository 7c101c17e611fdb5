import type { ConfigReader } from "./reader.ts";

export interface ClusterConfig {
    /** Arguments of the provider: the context of the kubeconfig; without one its current context. */
    readonly provider: { readonly context?: string };
    /** UID of the cluster's namespace kube-system, or `any`. Undefined: not recorded yet. */
    readonly id: string | undefined;
    /** Whether namespaces with volumes survive `pulumi destroy`. */
    readonly protectData: boolean;
}

export function readCluster(read: ConfigReader): ClusterConfig {
    const { context, ...cluster } = read.group("cluster");
    return { ...cluster, provider: context === undefined ? {} : { context } };
}
