import { findConfigProblem } from "../../deploy/pulumi/config.ts";
import { findMissingPrerequisite } from "../../deploy/pulumi/installed.ts";
import { openWorkspace, stateFolderFor } from "../../deploy/pulumi/workspace.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { LocalWorkspace, Stack, StackNotFoundError } from "@pulumi/pulumi/automation/index.js";
import { ReleaseError } from "../error.ts";
import { pulumiTraffic, type PulumiTraffic, type PulumiTrafficOptions } from "./pulumi.ts";

export interface PulumiStackOptions extends Pick<
    PulumiTrafficOptions,
    "lockTimeoutSeconds" | "report"
> {
    readonly cluster: Cluster;
    readonly stack: string;
}

/**
 * Weights of a stack that `pulumi up` has deployed, in the same workspace: backend, passphrase and config.
 *
 * @throws ReleaseError if Pulumi is not installed, or its backend has no such stack
 */
export async function createPulumiTraffic(options: PulumiStackOptions): Promise<PulumiTraffic> {
    const { cluster, stack: name, report } = options;
    const missing = await findMissingPrerequisite();
    if (missing !== undefined) {
        throw new ReleaseError(
            `Pulumi owns the weights of stack ${name}, and ${missing}; --force writes the route without it`,
        );
    }
    const pulumiWorkspace = await openWorkspace({
        stack: name,
        kubeconfig: cluster.exportKubeconfig(),
        stateFolder: await stateFolderFor(cluster),
        report,
    });
    const { program: workDir, env, configFile, backendFolder } = pulumiWorkspace;
    const workspace = await LocalWorkspace.create({ workDir, envVars: { ...env } });
    const stack = await selectStack(name, workspace);
    const checkConfig = (file: string) => findConfigProblem(name, file);
    return pulumiTraffic({ ...options, stack, configFile, backendFolder, checkConfig });
}

async function selectStack(name: string, workspace: LocalWorkspace): Promise<Stack> {
    try {
        return await Stack.select(name, workspace);
    } catch (error) {
        if (!(error instanceof StackNotFoundError)) throw error;
        throw new ReleaseError(
            `Pulumi's current backend has no stack ${name}: log in to the backend of its last deploy ` +
                "(pulumi login), or write the route with --force",
        );
    }
}
