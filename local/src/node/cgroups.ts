import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmdirSync,
    writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

/** Where the kernel shows its control groups. */
const CGROUP_ROOT = "/sys/fs/cgroup";
/** The kernel's default, by the file of each version. */
const WEIGHT_OF_A_PROCESS = { "cpu.shares": 1024, "cpu.weight": 100 };

/** Folders that hold a cgroup called `name`: the root on v2, one a controller on v1. */
export function hierarchies(root = CGROUP_ROOT): string[] {
    if (existsSync(path.join(root, "cgroup.controllers"))) return [root];
    // Controllers that share a hierarchy are links to it; it also appears under its own name.
    return readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => path.join(root, entry.name));
}

/** The cgroups called `name` that exist. */
export function findCgroups(name: string, root = CGROUP_ROOT): string[] {
    return hierarchies(root)
        .map((hierarchy) => path.join(hierarchy, name))
        .filter((folder) => existsSync(folder));
}

/**
 * Makes the cgroup `name` in each hierarchy. It weighs as much as one busy process a core: by the kernel's default
 * the whole node would weigh as one process, and a parallel build would starve the API server.
 */
export function makeCgroups(name: string, root = CGROUP_ROOT): void {
    for (const hierarchy of hierarchies(root)) {
        const folder = path.join(hierarchy, name);
        mkdirSync(folder, { recursive: true });
        for (const [file, weight] of Object.entries(WEIGHT_OF_A_PROCESS)) {
            if (!existsSync(path.join(folder, file))) continue;
            writeFileSync(path.join(folder, file), String(weight * availableParallelism()));
        }
    }
    // On v1 a new cpuset has no CPUs and no memory until they are set, and accepts no process.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        const inherited = path.join(root, "cpuset", file);
        if (!existsSync(inherited)) continue;
        writeFileSync(path.join(root, "cpuset", name, file), readFileSync(inherited));
    }
}

/** @returns the IDs of the processes in a cgroup and below; none if it does not exist */
export function members(cgroup: string): number[] {
    return ignoreMissing(() => {
        const own = readFileSync(path.join(cgroup, "cgroup.procs"), "utf8").split("\n");
        return [...own.filter(Boolean).map(Number), ...children(cgroup).flatMap(members)];
    });
}

/** Removes a cgroup, children first. One that is still busy stays. */
export function removeCgroup(cgroup: string): void {
    ignoreMissing(() => children(cgroup)).forEach(removeCgroup);
    try {
        rmdirSync(cgroup);
    } catch {
        // The kernel empties a cgroup a moment after its last process ends: the caller tries again.
    }
}

function children(cgroup: string): string[] {
    return readdirSync(cgroup, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => path.join(cgroup, entry.name));
}

/** A cgroup can go between two looks at it; ENODEV is what reading its files then says. */
function ignoreMissing<T>(read: () => T[]): T[] {
    try {
        return read();
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENODEV") return [];
        throw error;
    }
}
