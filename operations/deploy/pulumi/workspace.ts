import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import {
    ClusterError,
    messageOf,
    readIfExists,
    statusOf,
    type Cluster,
} from "../../cluster/connect.ts";
import { removeDeadProcessFiles } from "../../stack/processFiles.ts";
import { PROGRAM_FOLDER } from "../../stack/program.ts";
import { userStateFolder } from "../../stack/stateFolder.ts";
import { resolveBackend } from "./backend.ts";

/** Name of the Pulumi project, the prefix of its config keys. */
export const PROJECT = "property-search";

/** Workspace of a stack, shared by all commands that update it. */
export interface PulumiWorkspace {
    readonly stack: string;
    /** Folder of Pulumi.yaml. */
    readonly program: string;
    /** The stack's own config file, or this machine's copy of it. */
    readonly configFile: string;
    /** Environment of the CLI: cluster, backend and passphrase. */
    readonly env: Readonly<Record<string, string>>;
    /** Folder of a file backend; undefined for any other backend. */
    readonly backendFolder: string | undefined;
}

export interface WorkspaceOptions {
    readonly stack: string;
    /** Kubeconfig whose current context is the target. */
    readonly kubeconfig: string;
    /** Folder for files of this machine: file backend, passphrase, copy of the config. */
    readonly stateFolder: string;
    /** Whether config is read from this machine's copy. Default: as in the last deploy */
    readonly copy?: boolean;
    readonly report: (line: string) => void;
}

export async function openWorkspace(options: WorkspaceOptions): Promise<PulumiWorkspace> {
    const { stack, stateFolder, report } = options;
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    await removeDeadProcessFiles(stateFolder);
    const kubeconfig = path.join(stateFolder, "kubeconfig");
    await writeFile(kubeconfig, options.kubeconfig, { mode: 0o600 });
    const { env, folder } = await resolveBackend(stateFolder, report);
    const copy = localConfigCopy(options);
    return {
        stack,
        program: PROGRAM_FOLDER,
        configFile: (options.copy ?? existsSync(copy)) ? copy : stackConfigFile(stack),
        env: { KUBECONFIG: kubeconfig, PULUMI_SKIP_UPDATE_CHECK: "true", ...env },
        backendFolder: folder,
    };
}

/** The stack's config file in the checkout. */
export function stackConfigFile(stack: string): string {
    return path.join(PROGRAM_FOLDER, `Pulumi.${stack}.yaml`);
}

/** This machine's copy of the config file, which exists if the last deploy from this machine used it. */
export function localConfigCopy({
    stack,
    stateFolder,
}: Pick<WorkspaceOptions, "stack" | "stateFolder">): string {
    return path.join(stateFolder, `Pulumi.${stack}.yaml`);
}

/** Parent of the state folders of all clusters. */
export function stateFoldersRoot(): string {
    return path.join(userStateFolder(), "pulumi");
}

/** State folder of a cluster on this machine. */
export async function stateFolderFor(cluster: Cluster): Promise<string> {
    const reference = { apiVersion: "v1", kind: "Namespace", name: "kube-system" };
    const namespace = await readIfExists(cluster, reference).catch((error: unknown) => {
        const name = `the cluster of context ${cluster.context} (${cluster.server})`;
        throw new ClusterError(
            statusOf(error) === undefined
                ? `${name} does not answer: ${rootCause(error)}`
                : `${name} is identified by its Namespace kube-system, which cannot be read: ${messageOf(error)}`,
        );
    });
    const identity = namespace?.metadata?.uid ?? cluster.server;
    const folder = createHash("sha256").update(identity).digest("hex").slice(0, 12);
    return path.join(stateFoldersRoot(), folder);
}

/** Innermost cause, such as `connect ECONNREFUSED 127.0.0.1:6443`. */
function rootCause(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    return error.cause === undefined ? error.message : rootCause(error.cause);
}
