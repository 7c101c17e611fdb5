import { describeError } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterConfig } from "./cluster.ts";

/**
 * Checks that the stack and the provider's cluster belong together, and records the stack there before an update
 * creates anything: nothing else does before `pulumi up` by hand.
 *
 * @throws pulumi.RunError with a sentence for the user
 */
export async function requireBoundCluster({ id, provider }: ClusterConfig): Promise<void> {
    // A rendering has no cluster, and the client alone takes longer to load than the whole program.
    const [{ connect }, { claimCluster, requireBindingTo }] = await Promise.all([
        import("../operations/cluster/connect.ts"),
        import("../operations/deploy/binding.ts"),
    ]);
    const stack = pulumi.getStack();
    try {
        const claim = { cluster: connect(undefined, provider.context), stack, boundId: id };
        await requireBindingTo(claim);
        if (pulumi.runtime.isDryRun()) return;
        if (id === undefined) {
            throw new pulumi.RunError(
                `stack ${stack} names no cluster yet: make secrets STACK=${stack} writes cluster.id and ` +
                    `cluster.context into Pulumi.${stack}.yaml, by which any other cluster is refused`,
            );
        }
        await claimCluster(claim);
    } catch (error) {
        const words = describeError(error);
        if (typeof words !== "string") throw error;
        throw new pulumi.RunError(words.replace(/^Error: /, ""));
    }
}
