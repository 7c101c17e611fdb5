import { beforeEach, expect, test } from "@jest/globals";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { processFile, removeDeadProcessFiles } from "../../stack/processFiles.ts";

/** Above the largest process id of Linux and macOS. */
const DEAD = 2 ** 22 + 1;

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

const write = (...names: string[]) => {
    for (const name of names) writeFileSync(path.join(folder, name), "");
};

test("a temporary file keeps its extension and names its process", () => {
    const file = processFile(path.join(folder, "draft-dev.yaml"));
    expect(file).toBe(path.join(folder, `draft-dev.pid${process.pid}.yaml`));
});

test("files of dead processes are removed, all others stay", async () => {
    const own = path.basename(processFile("events-dev.json"));
    write(own, `events-dev.pid${DEAD}.json`, `draft-dev.pid${DEAD}.yaml`, "Pulumi.dev.yaml");
    await removeDeadProcessFiles(folder);
    expect(readdirSync(folder).toSorted()).toEqual(["Pulumi.dev.yaml", own].toSorted());
});

test("a file that is older than the process with its id is one of a dead process", async () => {
    const [own, older] = [processFile("new.json"), processFile("old.json")].map((file) =>
        path.basename(file),
    );
    write(String(own), String(older));
    utimesSync(path.join(folder, String(older)), 0, 0);
    await removeDeadProcessFiles(folder);
    expect(readdirSync(folder)).toEqual([own]);
});

test("a prefix limits the removal to files of that name", async () => {
    write(`Pulumi.dev.yaml.pid${DEAD}.new`, `of-the-user.pid${DEAD}.log`);
    await removeDeadProcessFiles(folder, "Pulumi.dev.yaml");
    expect(readdirSync(folder)).toEqual([`of-the-user.pid${DEAD}.log`]);
});
