import { existsSync, statfsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { PATHS } from "../paths.ts";
import { run, type Step } from "../shell.ts";

/** Type of overlayfs in statfs(2): an overlay cannot lie on another one, as in a container's root. */
const OVERLAYFS = 0x794c7630;

/** Storage only saves time, and every changed source adds to it. */
const STORAGE_LIMIT_GIB = 20;

const RUN_ROOT = path.join(PATHS.images, "run");

/**
 * buildah in a mount namespace of its own: however it ends, no mount of its storage is left. An overlay
 * keeps only what a layer changes, where vfs copies the whole image for each (0.8 GB and 8 s for a
 * changed source, instead of 14 GB and 85 s).
 */
export async function buildah(step: Step, args: readonly string[], doing?: string): Promise<void> {
    const { driver, folder } = storage();
    const isolated = ["--mount", "--propagation", "private", "buildah"];
    const where = ["--storage-driver", driver, "--root", folder, "--runroot", RUN_ROOT];
    await run(step, "unshare", [...isolated, ...where, ...args], { ...(doing && { doing }) });
}

/** Clears what killed builds have left, and all of the storage when it has grown too large. */
export async function tidyStorage(step: Step): Promise<void> {
    // Counts of mounts that a killed build left behind are wrong in this namespace.
    await rm(RUN_ROOT, { recursive: true, force: true });
    const { folder } = storage();
    if (!existsSync(folder)) return;
    const used = await run(step, "du", ["--summarize", "--block-size=1G", folder]);
    if (parseInt(used) > STORAGE_LIMIT_GIB) await rm(folder, { recursive: true, force: true });
    else await buildah(step, ["rm", "--all"]);
}

function storage(): { driver: string; folder: string } {
    const driver = statfsSync(PATHS.images).type === OVERLAYFS ? "vfs" : "overlay";
    return { driver, folder: path.join(PATHS.images, `storage-${driver}`) };
}
