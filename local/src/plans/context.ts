import { COLOURS } from "@property-search/contract";
import { connect, type Cluster } from "@property-search/operations/cluster/connect.ts";
import { readRecordedConfig } from "@property-search/operations/deploy/apply/record.ts";
import { readConfig } from "@property-search/operations/deploy/pulumi/stackFile.ts";
import { requireStack, stackNames } from "@property-search/operations/stack/stacks.ts";
import { stackOfCluster } from "@property-search/operations/deploy/binding.ts";
import { stackConfigFile } from "@property-search/operations/deploy/pulumi/workspace.ts";
import { LocalError } from "../shell.ts";
import { steps } from "../tasks.ts";
import { deployTasks } from "./deployTasks.ts";
import type { UpContext, Plan } from "./plan.ts";

/**
 * Plans a deploy to an existing cluster: only the stack is installed, with the images and other values of its
 * previous deploy.
 *
 * @param requested the stack. Default: the one that the cluster has
 * @throws LocalError before any change, if the stack is unknown or has no image
 */
export async function planForContext(
    context: string,
    requested: string | undefined,
    signal: AbortSignal,
): Promise<Plan<UpContext>> {
    const anonymous = process.env.ANONYMOUS;
    if (anonymous) {
        throw new LocalError(
            `ANONYMOUS is "${anonymous}"; allowed: unset with CONTEXT, since tenants.anonymous of the stack's file applies`,
        );
    }
    const cluster = connect(undefined, context);
    const stack = requested ?? (await stackOfCluster(cluster));
    if (stack === undefined) {
        throw new LocalError(
            `STACK is not set, and cluster ${context} has no stack yet; allowed: ${stackNames().join(", ")}`,
        );
    }
    requireStack(stack);
    await requireImages(cluster, stack);
    return {
        state: {},
        serving: deployTasks(steps<UpContext>(signal), { stack, context }),
        completing: [],
        nextSteps: () => [`kubectl --context ${context} get pods -A`],
        teardownCommand: `make undeploy STACK=${stack} CONTEXT=${context}`,
    };
}

/** @throws LocalError that lists images without a registry, which a cluster cannot pull */
export async function requireImages(
    cluster: Cluster,
    stack: string,
    file = stackConfigFile(stack),
): Promise<void> {
    const given = await readRecordedConfig(cluster, stack);
    const valueOf = async (key: string) => given[key] ?? (await readConfig(file, key));
    const keys = COLOURS.map((colour) => `${colour}.image`);
    for (const part of ["insights", "example"]) {
        if (String(await valueOf(`${part}.enabled`)) === "true") keys.push(`${part}.image`);
    }
    const problems: string[] = [];
    for (const key of keys) {
        const image = await valueOf(key);
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

/** A reference without a registry means Docker Hub, which has no image of this service. */
function namesRegistry(image: string): boolean {
    const [host = "", ...rest] = image.split("/");
    return rest.length > 0 && /[.:]|^localhost$/.test(host);
}
