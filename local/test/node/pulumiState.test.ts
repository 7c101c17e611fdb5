import { expect, test } from "@jest/globals";
import { mkdir, readdir, symlink } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { removePulumiState } from "../../src/node/pulumiState.ts";
import { PATHS } from "../../src/paths.ts";

const state = makeTemporaryFolder();
process.env.XDG_STATE_HOME = state;

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
