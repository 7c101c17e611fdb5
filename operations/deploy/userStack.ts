import { GENERATED_SECRETS } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { writeClusterToConfig } from "./binding.ts";
import { pulumiCli } from "./pulumi/cli.ts";
import { prepareConfig } from "./pulumi/config.ts";
import { openWorkspace, stateFolderFor, type PulumiWorkspace } from "./pulumi/workspace.ts";
import { ensureStack } from "./pulumi/stack.ts";
import { readConfig } from "./pulumi/stackFile.ts";

export interface UserStackOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly report: (line: string) => void;
}

/**
 * Stores a stack's generated secrets, encrypted, and its cluster in the stack's config file, as the first deploy does: for
 * manual `pulumi up`.
 *
 * @returns the number of missing secrets
 */
export async function storeGeneratedSecrets(options: UserStackOptions): Promise<number> {
    const { report } = options;
    const { workspace, stateFolder } = await openStackWorkspace(options, false);
    const known = await Promise.all(
        GENERATED_SECRETS.map((key) => readConfig(workspace.configFile, key)),
    );
    const missing = known.filter((value) => value === undefined).length;
    if (missing > 0) {
        const cli = pulumiCli(workspace);
        const known = await ensureStack(workspace, cli, report);
        const prepareOptions = {
            workspace,
            cli,
            stateFolder,
            config: {},
            knownSecrets: {},
            known,
            report,
        };
        await (await prepareConfig(prepareOptions)).save();
    }
    await writeClusterToConfig(options);
    return missing;
}

/** Shell commands that export the backend, passphrase and cluster of `make deploy`, for manual `pulumi`. */
export async function formatEnvironment(options: UserStackOptions): Promise<readonly string[]> {
    const { workspace } = await openStackWorkspace(options);
    return Object.entries(workspace.env).map(
        ([name, value]) => `export ${name}=${shellQuote(value)}`,
    );
}

/** Quotes a text for a POSIX shell. */
function shellQuote(text: string): string {
    return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function openStackWorkspace(
    { cluster, stack, report }: UserStackOptions,
    copy?: boolean,
): Promise<{ readonly workspace: PulumiWorkspace; readonly stateFolder: string }> {
    const stateFolder = await stateFolderFor(cluster);
    const kubeconfig = cluster.exportKubeconfig();
    const which = copy === undefined ? {} : { copy };
    return {
        workspace: await openWorkspace({ stack, kubeconfig, stateFolder, report, ...which }),
        stateFolder,
    };
}
