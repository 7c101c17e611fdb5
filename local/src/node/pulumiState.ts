import { connect, stateFolderOf, stateFolders } from "@property-search/deploy";
import { mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { PATHS } from "../paths.ts";
import { KUBECONFIG } from "./start.ts";

const FOLDER = path.join(PATHS.node, "pulumi");

/**
 * Puts Pulumi's state of the node's cluster among the node's files, which it goes with: where a deploy and
 * a switch look for it there is a link.
 */
export async function keepPulumiState(): Promise<void> {
    const link = await stateFolderOf(connect(KUBECONFIG));
    await mkdir(FOLDER, { recursive: true, mode: 0o700 });
    await mkdir(stateFolders(), { recursive: true, mode: 0o700 });
    await forgetPulumiState();
    await symlink(FOLDER, link);
}

/** Removes the link, and those of nodes that ended without it. */
export async function forgetPulumiState(): Promise<void> {
    const links = stateFolders();
    for (const name of await readdir(links).catch(() => [])) {
        const link = path.join(links, name);
        if ((await readlink(link).catch(() => "")) === FOLDER) await rm(link);
    }
}
