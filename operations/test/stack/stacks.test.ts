import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { PROGRAM_FOLDER } from "../../stack/program.ts";
import { requireStack, stackNames } from "../../stack/stacks.ts";

test("the stacks are those with a config file", async () => {
    expect(stackNames()).toEqual(["dev", "local", "prod"]);
    const folder = makeTemporaryFolder();
    await writeFile(path.join(folder, "Pulumi.yaml"), "");
    await writeFile(path.join(folder, "Pulumi.eu-west.yaml"), "");
    expect(stackNames(folder)).toEqual(["eu-west"]);
});

test("a mistyped stack is rejected with a suggestion", () => {
    expect(() => requireStack("pord")).toThrow(
        'STACK is "pord"; allowed: dev, local, prod (did you mean prod?)',
    );
    expect(() => requireStack("../prod")).toThrow('STACK is "../prod"; allowed: dev, local, prod');
    expect(() => requireStack("prod")).not.toThrow();
});

test.each(["preview", "deploy", "status"])(
    "%s refuses it before anything else, in one line",
    (command) => {
        const args = ["operations/cli/main.ts", command, "--stack", "pord"];
        const { status, stderr } = spawnSync(process.execPath, args, {
            cwd: PROGRAM_FOLDER,
            encoding: "utf8",
            env: { ...process.env, KUBECONFIG: "/nowhere" },
        });
        expect(status).toBe(1);
        expect(stderr).toMatch(/^Error: STACK is "pord"; .*did you mean prod\?.*\n$/);
    },
);
