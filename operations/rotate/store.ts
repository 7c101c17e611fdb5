import { copyFile, rm } from "node:fs/promises";
import path from "node:path";
import { ClusterError, type Cluster } from "../cluster/connect.ts";
import { readRecord, writeRecord } from "../deploy/apply/record.ts";
import { pulumiCli } from "../deploy/pulumi/cli.ts";
import { readConfig, setConfig } from "../deploy/pulumi/stackFile.ts";
import { openWorkspace, PROJECT, stateFolderFor } from "../deploy/pulumi/workspace.ts";
import { readConfigValue } from "../deploy/pulumi/secret.ts";
import { processFile } from "../stack/processFiles.ts";

/** Config values by key without the project's name; undefined removes one. */
export type SecretChanges = Readonly<Record<string, string | undefined>>;

/** Store of a stack's secrets. */
export interface SecretStore {
    readonly read: (key: string) => Promise<string | undefined>;
    /** Writes the changes in order; if it is killed, the changes written so far stay. */
    readonly write: (changes: SecretChanges) => Promise<void>;
}

interface StoreOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly report: (line: string) => void;
}

/** Store in the cluster's record of a stack that is deployed by apply. */
export function recordStore({ cluster, stack }: StoreOptions): SecretStore {
    const recordOf = async () => {
        const record = await readRecord(cluster, stack);
        if (record) return record;
        throw new ClusterError(`${cluster.context} has no stack ${stack}: deploy it first`);
    };
    return {
        read: async (key) => (await recordOf()).secrets[key],
        write: async (changes) => {
            const record = await recordOf();
            const all = Object.entries({ ...record.secrets, ...changes });
            const secrets = Object.fromEntries(
                all.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
            );
            await writeRecord(cluster, stack, { ...record, secrets });
        },
    };
}

/** Store in the config of a Pulumi stack: encrypted in its file or in this machine's copy. */
export async function pulumiStore({ cluster, stack, report }: StoreOptions): Promise<SecretStore> {
    const stateFolder = await stateFolderFor(cluster);
    const kubeconfig = cluster.exportKubeconfig();
    const workspace = await openWorkspace({ stack, kubeconfig, stateFolder, report });
    const { configFile } = workspace;
    const cli = pulumiCli(workspace);
    return {
        read: (key) => readConfigValue(workspace, key),
        write: async (changes) => {
            for (const [key, value] of Object.entries(changes)) {
                const stored = value === undefined ? undefined : await encrypt(key, value);
                await setConfig(configFile, { [key]: stored });
            }
        },
    };

    /**
     * Encrypts a value in a draft, since the CLI reformats the whole file, and would undo weights that a switch writes
     * meanwhile.
     */
    async function encrypt(key: string, value: string): Promise<unknown> {
        const draft = processFile(path.join(stateFolder, `secret-${stack}.yaml`));
        try {
            await copyFile(configFile, draft);
            const onDraft = ["--secret", "--stack", stack, "--config-file", draft];
            // Standard input keeps the value off the command line.
            await cli.must(["config", "set", `${PROJECT}:${key}`, ...onDraft], { input: value });
            return await readConfig(draft, key);
        } finally {
            await rm(draft, { force: true });
        }
    }
}
