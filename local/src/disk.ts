import { existsSync, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { CACHE, PATHS } from "./paths.ts";
import { tryRun } from "./shell.ts";
import { buildFolder } from "./toolchain/go.ts";
import { COMPLETING, SERVING } from "./toolchain/programs.ts";

const GIB = 1024 ** 3;

/** Disk space that one phase of `make up` still has to find. */
export interface DiskNeed {
    readonly phase: string;
    /** Folder that the phase fills; it need not exist. */
    readonly folder: string;
    readonly bytes: number;
}

/** A file system. */
export interface Disk {
    /** Equal for folders of the same file system. */
    readonly device: number;
    readonly freeBytes: number;
}

/** What a first run writes, in GiB, as measured and rounded up; a later run writes what changed. */
const PHASE_GIB = {
    modules: { first: 1.5, later: 0 },
    compiled: { first: 4, later: 0 },
    images: { first: 4, later: 1 },
    node: { first: 3, later: 1 },
} as const;

/** What `make up` still has to write on this machine, by phase. */
export async function estimateDiskNeeds(): Promise<DiskNeed[]> {
    const builds = await Promise.all([SERVING, COMPLETING].map(buildFolder));
    const isCompiled = builds.every(existsSync);
    const [modules = CACHE, compiled = CACHE] = await goCaches();
    const need = (
        phase: keyof typeof PHASE_GIB,
        name: string,
        folder: string,
        isDone: boolean,
    ) => ({
        phase: name,
        folder,
        bytes: PHASE_GIB[phase][isDone ? "later" : "first"] * GIB,
    });
    return [
        need("modules", "Go modules", modules, isCompiled),
        need("compiled", "compiled packages", compiled, isCompiled),
        need("images", "images", PATHS.images, existsSync(PATHS.images)),
        need("node", "the node", PATHS.node, existsSync(PATHS.node)),
    ];
}

/** Folders of Go's modules and of its compiled packages. */
async function goCaches(): Promise<string[]> {
    return ((await tryRun("go", ["env", "GOMODCACHE", "GOCACHE"])) ?? "")
        .split("\n")
        .filter(Boolean);
}

/**
 * File systems that are short of space, each with what every phase needs of it.
 *
 * @param diskOf the file system of a folder.
 */
export function diskProblems(
    needs: readonly DiskNeed[],
    diskOf: (folder: string) => Disk,
): string[] {
    const byDevice = Map.groupBy(needs, ({ folder }) => diskOf(folder).device);
    return [...byDevice.values()].flatMap((group) => {
        const wanted = group.filter(({ bytes }) => bytes > 0);
        const needed = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
        const folders = [...new Set(wanted.map(({ folder }) => folder))];
        const free = diskOf(folders[0] ?? "/").freeBytes;
        if (free >= needed) return [];
        const parts = wanted.map(({ phase, bytes }) => `${phase} ${formatGib(bytes)}`).join(", ");
        return [
            `${formatGib(free)} of disk are free for ${folders.join(", ")}; ${formatGib(needed)} are needed: ` +
                `${parts} (XDG_CACHE_HOME, GOCACHE and GOMODCACHE put them elsewhere)`,
        ];
    });
}

/** File system of a folder, or of the nearest one above it that exists. */
export function readDisk(folder: string): Disk {
    if (!existsSync(folder)) return readDisk(path.dirname(folder));
    const { bavail, bsize } = statfsSync(folder);
    return { device: statSync(folder).dev, freeBytes: bavail * bsize };
}

export function formatGib(bytes: number): string {
    return `${(bytes / GIB).toFixed(1)} GiB`;
}
