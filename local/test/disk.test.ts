import { expect, test } from "@jest/globals";
import { statSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { readDisk, diskProblems, type DiskNeed } from "../src/disk.ts";

const GIB = 1024 ** 3;

const NEEDS: readonly DiskNeed[] = [
    { phase: "Go modules", folder: "/go/mod", bytes: 1.5 * GIB },
    { phase: "compiled packages", folder: "/cache/go-build", bytes: 4 * GIB },
    { phase: "images", folder: "/cache/images", bytes: 4 * GIB },
];

const one = (freeGib: number) => () => ({ device: 1, freeBytes: freeGib * GIB });

test("a disk that holds all phases together gives no finding, and one byte less does", () => {
    expect(diskProblems(NEEDS, one(9.5))).toEqual([]);
    expect(diskProblems(NEEDS, () => ({ device: 1, freeBytes: 9.5 * GIB - 1 }))).toHaveLength(1);
});

test("a problem names the free space, the needed space and the phase", () => {
    expect(diskProblems(NEEDS, one(3))).toEqual([
        "3.0 GiB of disk are free for /go/mod, /cache/go-build, /cache/images; " +
            "9.5 GiB are needed: Go modules 1.5 GiB, compiled packages 4.0 GiB, images 4.0 GiB " +
            "(XDG_CACHE_HOME, GOCACHE and GOMODCACHE put them elsewhere)",
    ]);
});

test("each file system is judged by what lies on it", () => {
    const disks = (folder: string) =>
        folder.startsWith("/go")
            ? { device: 2, freeBytes: 1 * GIB }
            : { device: 1, freeBytes: 8 * GIB };
    expect(diskProblems(NEEDS, disks)).toEqual([
        expect.stringMatching(/^1\.0 GiB of disk are free for \/go\/mod; 1\.5 GiB are needed: Go/),
    ]);
});

test("a phase that is done needs nothing, however full the disk is", () => {
    const done = NEEDS.map((need) => ({ ...need, bytes: 0 }));
    expect(diskProblems(done, one(0))).toEqual([]);
});

test("a folder that is not there yet lies where the nearest one above it does", () => {
    const folder = makeTemporaryFolder();
    const { device, freeBytes } = readDisk(path.join(folder, "not/there"));
    expect(device).toBe(statSync(folder).dev);
    expect(freeBytes).toBeGreaterThan(0);
});
