import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { isApplied, platformKey } from "../apply/record.ts";
import { failure, pulumiCli } from "./cli.ts";
import { missingForPulumi } from "./installed.ts";
import { openPlace, PROJECT, stateFolderOf, type PulumiPlace } from "./workspace.ts";

/** Config key of the API key of the tenant "platform". */
const PLATFORM_KEY = "tenants.platformKey";

export interface ApiKeyOptions {
    readonly cluster: Cluster;
    /** Undefined: only the cluster's record is read. */
    readonly stack: string | undefined;
    readonly report: (line: string) => void;
}

/**
 * API key for requests of the stack's own tools: API_KEY, else that of the tenant "platform" from the record of an apply or
 * the config of the Pulumi stack.
 *
 * @returns undefined if there is none or it cannot be read; the reason is reported
 */
export async function stackApiKey(options: ApiKeyOptions): Promise<string | undefined> {
    const { cluster, stack, report } = options;
    const given = process.env.API_KEY;
    if (given) return given;
    if (stack === undefined || (await isApplied(cluster, stack))) return platformKey(cluster);
    try {
        return await pulumiSecret(cluster, stack, report);
    } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        report(`no API key of stack ${stack}: ${error.message}; set API_KEY to provide one`);
        return undefined;
    }
}

async function pulumiSecret(
    cluster: Cluster,
    stack: string,
    report: (line: string) => void,
): Promise<string | undefined> {
    const missing = await missingForPulumi();
    if (missing !== undefined) {
        throw new ClusterError(`it is in the config of its Pulumi stack, and ${missing}`);
    }
    const stateFolder = await stateFolderOf(cluster);
    const kubeconfig = cluster.exportKubeconfig();
    return readConfigValue(
        await openPlace({ stack, kubeconfig, stateFolder, report }),
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
    place: PulumiPlace,
    key: string,
): Promise<string | undefined> {
    const { stack, configFile } = place;
    const onStack = ["--stack", stack, "--config-file", configFile];
    const args = ["config", "get", `${PROJECT}:${key}`, ...onStack];
    const { exitCode, stdout, stderr } = await pulumiCli(place).run(args);
    if (exitCode === 0) return String(stdout) || undefined;
    if (/configuration key .* not found/.test(String(stderr))) return undefined;
    throw new ClusterError(failure("pulumi config get", stack, stderr));
}
