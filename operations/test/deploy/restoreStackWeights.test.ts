import { afterAll, expect, test } from "@jest/globals";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readStackWeights, restoreStackWeights } from "../../deploy/configuredWeights.ts";
import { setConfig } from "../../deploy/pulumi/stackFile.ts";

const folder = mkdtempSync(path.join(tmpdir(), "weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
    ["with weights", "    property-search:traffic.weights: { blue: 100, green: 0 }\n"],
    ["without weights", ""],
])("the weights of a file %s come back, and edits made meanwhile stay", async (_, weights) => {
    const file = path.join(folder, "Pulumi.one.yaml");
    const write = (image: string) =>
        `config:\n    property-search:blue.image: ${image}\n${weights}`;
    writeFileSync(file, write("a"));
    const saved: unknown = JSON.parse(JSON.stringify(await readStackWeights("one", file)));
    await setConfig(file, { "traffic.weights": { blue: 0, green: 100 }, "blue.image": "b" });
    await restoreStackWeights("one", saved, file);
    expect(readFileSync(file, "utf8")).toBe(write("b"));
});
