import { NAME, pattern } from "@property-search/contract/settings";
import type { ConfigReader } from "./reader.ts";

export interface ClusterConfig {
    /** Arguments of the provider: the context of the kubeconfig; without one its current context. */
    readonly provider: { readonly context?: string };
    /** UID of the cluster's namespace kube-system, or `any`. Undefined: not recorded yet. */
    readonly id: string | undefined;
    /** Whether namespaces with volumes survive `pulumi destroy`. */
    readonly protectData: boolean;
}

const ID = pattern(
    /^(any|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    "the UID of a namespace kube-system, as the first deploy records it, or any",
);

export function readCluster(read: ConfigReader): ClusterConfig {
    const context = read.optional("cluster.context", NAME);
    return {
        provider: context === undefined ? {} : { context },
        id: read.optional("cluster.id", ID),
        protectData: read.boolean("cluster.protectData"),
    };
}
