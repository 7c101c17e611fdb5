import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { removePulumiState } from "../../src/node/pulumiState.ts";
import { PATHS } from "../../src/paths.ts";

const before = process.env.XDG_STATE_HOME;
let state: string;

beforeAll(async () => {
    state = await mkdtemp(path.join(tmpdir(), "state-"));
    process.env.XDG_STATE_HOME = state;
});

afterAll(async () => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
    await rm(state, { recursive: true });
});

test("what leads to the state of a cluster of ours is removed with it, and no other cluster's state", async () => {
    await removePulumiState();
    const clusters = path.join(state, "property-search/pulumi");
    await mkdir(path.join(clusters, "other"), { recursive: true });
    await symlink("/elsewhere", path.join(clusters, "linked"));
    for (const [name, files] of Object.entries({ newest: PATHS.node, older: PATHS.kind })) {
        await symlink(path.join(files, "pulumi"), path.join(clusters, name));
    }
    await removePulumiState();
    expect((await readdir(clusters)).sort()).toEqual(["linked", "other"]);
});
