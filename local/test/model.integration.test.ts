import { beforeEach, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { ensureModel } from "../src/model.ts";

const { env } = process;
let folder = "";
let lines: string[] = [];

const ensure = () =>
    ensureModel({
        log: path.join(folder, "log"),
        signal: new AbortController().signal,
        report: (line) => lines.push(line),
    });

beforeEach(() => {
    folder = makeTemporaryFolder();
    lines = [];
    // Without Maven on the PATH, nothing can be downloaded.
    process.env = { ...env, MODEL_DIR: folder, PATH: folder };
});

test("a model in the cache is used as it is, and nothing is reported", async () => {
    for (const name of ["model.onnx", "tokenizer.json"]) writeFileSync(path.join(folder, name), "");
    expect(await ensure()).toBe(folder);
    expect(lines).toEqual([]);
});

test("a download is reported, and its failure says why", async () => {
    await expect(ensure()).rejects.toThrow(/downloading the model failed .*mvn is missing/s);
    expect(lines).toEqual(["downloading the model"]);
});
