import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { isDeployedByApply, readPlatformKey } from "../apply/record.ts";
import { describeFailure, pulumiCli } from "./cli.ts";
import { findMissingPrerequisite } from "./installed.ts";
import { openWorkspace, PROJECT, stateFolderFor, type PulumiWorkspace } from "./workspace.ts";

/** Config key of the API key of the tenant "platform". */
const PLATFORM_KEY = "tenants.platformKey";

export interface ApiKeyOptions {
    readonly cluster: Cluster;
    /** Undefined: only the cluster's record is read. */
    readonly stack: string | undefined;
    /** Whether the service has rejected API_KEY, so that the stack's own key is read. Default: false */
    readonly isGivenRejected?: boolean;
    readonly report: (line: string) => void;
}

/**
 * API key for requests of the stack's own tools: API_KEY, else that of the tenant "platform" from the record of an apply or
 * the config of the Pulumi stack.
 *
 * @returns undefined if there is none or it cannot be read; the reason is reported
 */
export async function readStackApiKey(options: ApiKeyOptions): Promise<string | undefined> {
    const { cluster, stack, isGivenRejected = false, report } = options;
    const given = process.env.API_KEY;
    if (given && !isGivenRejected) return given;
    if (stack === undefined || (await isDeployedByApply(cluster, stack)))
        return readPlatformKey(cluster);
    try {
        return await readPulumiSecret(cluster, stack, report);
    } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        report(`no API key of stack ${stack}: ${error.message}; set API_KEY to provide one`);
        return undefined;
    }
}

async function readPulumiSecret(
    cluster: Cluster,
    stack: string,
    report: (line: string) => void,
): Promise<string | undefined> {
    const missing = await findMissingPrerequisite();
    if (missing !== undefined) {
        throw new ClusterError(`it is in the config of its Pulumi stack, and ${missing}`);
    }
    const stateFolder = await stateFolderFor(cluster);
    const kubeconfig = cluster.exportKubeconfig();
    return readConfigValue(
        await openWorkspace({ stack, kubeconfig, stateFolder, report }),
        PLATFORM_KEY,
    );
}

/**
 * Decrypted value of a stack's config, or the project's default.
 *
 * @returns undefined if the config lacks the key
 * @throws ClusterError if the config cannot be read, for example without its passphrase
 */
export async function readConfigValue(
    workspace: PulumiWorkspace,
    key: string,
): Promise<string | undefined> {
    const { stack, configFile } = workspace;
    const onStack = ["--stack", stack, "--config-file", configFile];
    const args = ["config", "get", `${PROJECT}:${key}`, ...onStack];
    const { exitCode, stdout, stderr } = await pulumiCli(workspace).run(args);
    if (exitCode === 0) return String(stdout) || undefined;
    if (/configuration key .* not found/.test(String(stderr))) return undefined;
    throw new ClusterError(describeFailure("pulumi config get", stack, stderr));
}
