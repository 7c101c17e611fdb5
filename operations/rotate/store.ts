import { ClusterError, type Cluster } from "../cluster/connect.ts";
import { readRecord, writeRecord } from "../deploy/apply/record.ts";
import { describeFailure, pulumiCli } from "../deploy/pulumi/cli.ts";
import { openWorkspace, PROJECT, stateFolderFor } from "../deploy/pulumi/workspace.ts";
import { readConfigValue } from "../deploy/pulumi/secret.ts";

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
    const workspace = await openWorkspace({
        stack,
        kubeconfig: cluster.exportKubeconfig(),
        stateFolder: await stateFolderFor(cluster),
        report,
    });
    const onStack = ["--stack", stack, "--config-file", workspace.configFile];
    const { run } = pulumiCli(workspace);
    const change = async (key: string, value: string | undefined) => {
        const full = `${PROJECT}:${key}`;
        // Standard input keeps the value off the command line.
        const { exitCode, stderr } =
            value === undefined
                ? await run(["config", "rm", full, ...onStack])
                : await run(["config", "set", full, "--secret", ...onStack], { input: value });
        if (exitCode !== 0) throw new ClusterError(describeFailure("pulumi config", stack, stderr));
    };
    return {
        read: (key) => readConfigValue(workspace, key),
        write: async (changes) => {
            for (const [key, value] of Object.entries(changes)) await change(key, value);
        },
    };
}
