import { configProblem } from "../../deploy/pulumi/config.ts";
import { missingForPulumi } from "../../deploy/pulumi/installed.ts";
import { openPlace, stateFolderOf } from "../../deploy/pulumi/workspace.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { LocalWorkspace, Stack, StackNotFoundError } from "@pulumi/pulumi/automation/index.js";
import { ReleaseError } from "../error.ts";
import { pulumiTraffic, type PulumiTraffic, type PulumiTrafficOptions } from "./pulumi.ts";

export interface PulumiStackOptions extends Pick<PulumiTrafficOptions, "patience" | "report"> {
    readonly cluster: Cluster;
    readonly stack: string;
}

/**
 * Weights of a stack that `pulumi up` has deployed, in the same workspace: backend, passphrase and config.
 *
 * @throws ReleaseError if Pulumi is not installed, or its backend has no such stack
 */
export async function openPulumiTraffic(options: PulumiStackOptions): Promise<PulumiTraffic> {
    const { cluster, stack: name, report } = options;
    const missing = await missingForPulumi();
    if (missing !== undefined) {
        throw new ReleaseError(
            `Pulumi owns the weights of stack ${name}, and ${missing}; --force writes the route without it`,
        );
    }
    const place = await openPlace({
        stack: name,
        kubeconfig: cluster.exportKubeconfig(),
        stateFolder: await stateFolderOf(cluster),
        report,
    });
    const { program: workDir, settings, configFile, backendFolder } = place;
    const workspace = await LocalWorkspace.create({ workDir, envVars: { ...settings } });
    const stack = await selected(name, workspace);
    const checkConfig = (file: string) => configProblem(name, file);
    return pulumiTraffic({ ...options, stack, configFile, backendFolder, checkConfig });
}

async function selected(name: string, workspace: LocalWorkspace): Promise<Stack> {
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
