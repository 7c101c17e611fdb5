import {
    ClusterError,
    keyOf,
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
} from "../../cluster/connect.ts";
import type { StackRecord } from "./record.ts";

const DEFINITION = "certificates.cert-manager.io";

/**
 * A cluster has one cert-manager: its kinds, roles and webhooks have fixed names, and a second one would take them over.
 * With Pulumi, Helm itself rejects that.
 *
 * @throws ClusterError if the stack installs cert-manager and the cluster has another one
 */
export async function assertNoOtherCertManager(
    cluster: Cluster,
    manifests: readonly Manifest[],
    { inventory }: Pick<StackRecord, "inventory">,
): Promise<void> {
    const definition = manifests.find(
        ({ kind, metadata }) => kind === "CustomResourceDefinition" && metadata.name === DEFINITION,
    );
    if (!definition) return;
    const reference = referenceOf(definition);
    if (inventory.some((known) => keyOf(known) === keyOf(reference))) return;
    if ((await readIfExists(cluster, reference)) === undefined) return;
    throw new ClusterError(
        `certificates.certManager is "install", and cluster ${cluster.context} already has a cert-manager ` +
            `(${keyOf(reference)}); allowed: existing, with certificates.issuer and its settings`,
    );
}
