import { describe, expect, test } from "@jest/globals";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { formatMessage } from "../../policies/engine/message.ts";
import { findFailures, runRules } from "../../policies/engine/run.ts";
import { toObjects } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies, readPolicyInputs } from "../../policies/stacks.ts";
import { toManifests } from "../../render/manifests.ts";
import { runProgram } from "../../render/program.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { quietly } from "../support/stacks.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

/* docs/stacks.md, docs/getting-started.md: a stack that starts from them renders, and complies with the strict policies. */

const ROOT = path.resolve(import.meta.dirname, "../..");
const blocks = (language: string, page = "stacks.md") =>
    [
        ...readFileSync(path.join(ROOT, "docs", page), "utf8").matchAll(
            new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"),
        ),
    ].map(([, text = ""]) => text);
const [complete = "", ...others] = blocks("yaml");
const configOf = (text: string) => (parse(text) as { config: Record<string, unknown> }).config;

const STACK = "eks";
/** Not the checkout: other tests list its stacks. */
const folder = makeTemporaryFolder();
copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));

const rendered = (config: object) =>
    quietly(async () => {
        writeFileSync(path.join(folder, `Pulumi.${STACK}.yaml`), JSON.stringify({ config }));
        const program = stackConfig(STACK, undefined, {}, folder);
        return toManifests(await runProgram(STACK, program), false);
    });

test.each([
    ["stacks.md", complete],
    ["getting-started.md", blocks("yaml", "getting-started.md")[0] ?? ""],
])("the complete example of %s renders, and nothing is against it", async (page, example) => {
    writeFileSync(path.join(folder, `${STACK}.json`), blocks("json", page)[0] ?? "");
    const objects = (await rendered(configOf(example))).flatMap(toObjects);
    const policies = readStackPolicies(STACK, readPolicyInputs(STACK, folder), folder);
    expect(findFailures(runRules(RULES, policies, objects)).map(formatMessage)).toEqual([]);
});

describe("what differs on another platform", () => {
    const images = Object.fromEntries(
        ["blue.image", "green.image"].map((key) => [
            `property-search:${key}`,
            "registry.example.com/search/embedding-service:v1.4.0",
        ]),
    );

    test.each(others.map(configOf))("renders: %j", async (config) => {
        expect((await rendered({ ...images, ...config })).length).toBeGreaterThan(50);
    });
});
