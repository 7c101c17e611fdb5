import { connect } from "@property-search/operations/cluster/connect.ts";
import {
    stateFolderFor,
    stateFoldersRoot,
} from "@property-search/operations/deploy/pulumi/workspace.ts";
import { mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { PATHS } from "../paths.ts";

const NAME = "pulumi";

/** Of the files of each cluster that `make up` makes. */
const FOLDERS = [PATHS.node, PATHS.kind];

/**
 * Puts Pulumi's state of a cluster among the cluster's files, which it goes with: where a deploy and a switch
 * look for it there is a link.
 *
 * @param files folder of the cluster's files
 */
export async function linkPulumiState(kubeconfig: string, files: string): Promise<void> {
    const link = await stateFolderFor(connect(kubeconfig));
    const folder = path.join(files, NAME);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(stateFoldersRoot(), { recursive: true, mode: 0o700 });
    await removePulumiState();
    await symlink(folder, link);
}

/** Removes the link, and those of clusters that ended without it. */
export async function removePulumiState(): Promise<void> {
    const links = stateFoldersRoot();
    for (const name of await readdir(links).catch(() => [])) {
        const link = path.join(links, name);
        const target = await readlink(link).catch(() => "");
        if (FOLDERS.some((files) => target === path.join(files, NAME))) await rm(link);
    }
}
