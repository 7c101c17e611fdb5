import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";

import { removeAbandonedSpools } from "../../src/admin/warmup/spool.ts";

/** Greater than the largest process ID of Linux and macOS. */
const NOT_RUNNING = 2 ** 22 + 1;
let folder: string;

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "spools-"));
});

afterEach(() => {
    rmSync(folder, { recursive: true });
});

test("spools of killed processes are removed, those of running ones and other files stay", async () => {
    const names = {
        killed: `warmup-${NOT_RUNNING}-aaaaaa`,
        earlierLife: `warmup-${process.pid}-bbbbbb`,
        otherInstance: `warmup-${process.ppid}-cccccc`,
        foreign: "warmup-of-somebody-else",
    };
    for (const name of Object.values(names)) mkdirSync(join(folder, name));
    await removeAbandonedSpools(folder);
    expect(readdirSync(folder).sort()).toEqual([names.otherInstance, names.foreign].sort());
});

test("an unreadable temporary directory has no effect", async () => {
    await expect(removeAbandonedSpools(join(folder, "missing"))).resolves.toBeUndefined();
});
