import { COLOURS } from "@property-search/contract";
import { connect, type Cluster } from "@property-search/operations/cluster/connect.ts";
import { givenConfig } from "@property-search/operations/deploy/apply/record.ts";
import { readConfig } from "@property-search/operations/deploy/pulumi/stackFile.ts";
import { requireStack, stackNames } from "@property-search/operations/stack/stacks.ts";
import { stackOfCluster } from "@property-search/operations/deploy/binding.ts";
import { trackedFile } from "@property-search/operations/deploy/pulumi/workspace.ts";
import { LocalError } from "../shell.ts";
import { steps } from "../tasks.ts";
import { deploying } from "./deploying.ts";
import type { Made, Plan } from "./plan.ts";

/**
 * On a cluster that somebody else runs: nothing is installed on it but the stack, with the images and other
 * values of the deploy before this one.
 *
 * @param asked the stack. Default: the one that the cluster has
 * @throws LocalError before anything is done, for a stack that is not named or has no image to run
 */
export async function planForContext(
    context: string,
    asked: string | undefined,
    signal: AbortSignal,
): Promise<Plan<Made>> {
    const anonymous = process.env.ANONYMOUS;
    if (anonymous) {
        throw new LocalError(
            `ANONYMOUS is "${anonymous}"; allowed: none with CONTEXT, where tenants.anonymous of the stack's file decides`,
        );
    }
    const cluster = connect(undefined, context);
    const stack = asked ?? (await stackOfCluster(cluster));
    if (stack === undefined) {
        throw new LocalError(
            `STACK is not set, and cluster ${context} has no stack yet; allowed: ${stackNames().join(", ")}`,
        );
    }
    requireStack(stack);
    await requireImages(cluster, stack);
    return {
        made: {},
        serving: deploying(steps<Made>(signal), { stack, context }),
        completing: [],
        look: () => [`kubectl --context ${context} get pods -A`],
        end: `make undeploy STACK=${stack} CONTEXT=${context}`,
    };
}

/** @throws LocalError for each image that no cluster could pull */
export async function requireImages(
    cluster: Cluster,
    stack: string,
    file = trackedFile(stack),
): Promise<void> {
    const given = await givenConfig(cluster, stack);
    const problems: string[] = [];
    for (const key of COLOURS.map((colour) => `${colour}.image`)) {
        const image = given[key] ?? (await readConfig(file, key));
        if (typeof image === "string" && namesRegistry(image)) continue;
        const found = image === undefined ? "is not set" : `is ${JSON.stringify(image)}`;
        problems.push(
            `property-search:${key} of Pulumi.${stack}.yaml ${found}; allowed: an image with its registry, such as ` +
                "registry.example.com/embedding-service:v1.0.0",
        );
    }
    if (problems.length === 0) return;
    throw new LocalError(`no image to run on ${cluster.context}:\n  - ${problems.join("\n  - ")}`);
}

/** Docker Hub, which a reference without a registry means, has no image of this service. */
function namesRegistry(image: string): boolean {
    const [host = "", ...rest] = image.split("/");
    return rest.length > 0 && /[.:]|^localhost$/.test(host);
}
