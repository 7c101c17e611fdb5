import { NAME, pattern } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

export interface ClusterConfig {
    /** Context of the kubeconfig. Undefined: its current one. */
    readonly context: string | undefined;
    /** UID of the cluster's namespace kube-system. Undefined: not recorded yet, or any cluster. */
    readonly id: string | undefined;
    /** Whether namespaces with volumes survive `pulumi destroy`. */
    readonly protectData: boolean;
}

/** Value of cluster.id for a stack whose clusters come and go. */
const ANY = "any";
const ID = pattern(
    /^(any|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    "the UID of a namespace kube-system, as the first deploy records it, or any",
);

export function readCluster(read: ConfigReader): ClusterConfig {
    const id = read.optional("cluster.id", ID);
    return {
        context: read.optional("cluster.context", NAME),
        id: id === ANY ? undefined : id,
        protectData: read.boolean("cluster.protectData"),
    };
}
