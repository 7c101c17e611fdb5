import { GENERATED_SECRETS } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { nameCluster } from "./binding.ts";
import { pulumiCli } from "./pulumi/cli.ts";
import { prepareConfig } from "./pulumi/config.ts";
import { openPlace, stateFolderOf, type PulumiPlace } from "./pulumi/workspace.ts";
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
export async function generateSecrets(options: UserStackOptions): Promise<number> {
    const { report } = options;
    const { place, stateFolder } = await open(options, false);
    const known = await Promise.all(
        GENERATED_SECRETS.map((key) => readConfig(place.configFile, key)),
    );
    const missing = known.filter((value) => value === undefined).length;
    if (missing > 0) {
        const cli = pulumiCli(place);
        const encryption = await ensureStack(place, cli, report);
        const asked = { place, cli, stateFolder, config: {}, knownSecrets: {}, encryption, report };
        await (await prepareConfig(asked)).keep();
    }
    await nameCluster(options);
    return missing;
}

/** Shell commands that export the backend, passphrase and cluster of `make deploy`, for manual `pulumi`. */
export async function environmentOf(options: UserStackOptions): Promise<readonly string[]> {
    const { place } = await open(options);
    return Object.entries(place.settings).map(([name, value]) => `export ${name}=${quoted(value)}`);
}

/** Quotes a text for a POSIX shell. */
function quoted(text: string): string {
    return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function open(
    { cluster, stack, report }: UserStackOptions,
    copy?: boolean,
): Promise<{ readonly place: PulumiPlace; readonly stateFolder: string }> {
    const stateFolder = await stateFolderOf(cluster);
    const kubeconfig = cluster.exportKubeconfig();
    const which = copy === undefined ? {} : { copy };
    return {
        place: await openPlace({ stack, kubeconfig, stateFolder, report, ...which }),
        stateFolder,
    };
}
