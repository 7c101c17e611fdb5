import { expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { readStackWeights, restoreStackWeights } from "../../deploy/configuredWeights.ts";
import { setConfig } from "../../deploy/pulumi/stackFile.ts";

const folder = makeTemporaryFolder();

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
