/** Name of our cluster at kind. */
export const NAME = "property-search";

/** Container of the cluster's only node. */
export const NODE = `${NAME}-control-plane`;

/** Label by which kind knows a cluster's containers. */
export const CLUSTER_LABEL = `io.x-k8s.kind.cluster=${NAME}`;
