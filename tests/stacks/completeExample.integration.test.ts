import { afterAll, describe, expect, test } from "@jest/globals";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { message } from "../../policies/engine/message.ts";
import { failuresOf, run } from "../../policies/engine/run.ts";
import { objectsOf } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf, policyInputsOf } from "../../policies/stacks.ts";
import { manifestsOf } from "../../render/manifests.ts";
import { runProgram } from "../../render/program.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { quietly } from "../support/stacks.ts";

/* docs/stacks.md: whoever begins a stack by it has one that renders, and that the strict rules take. */

const ROOT = path.resolve(import.meta.dirname, "../..");
const page = readFileSync(path.join(ROOT, "docs/stacks.md"), "utf8");
const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(
        ([, text = ""]) => text,
    );
const [complete = "", ...others] = blocks("yaml");
const configOf = (text: string) => (parse(text) as { config: Record<string, unknown> }).config;

const STACK = "eks";
/** Not the checkout: other tests list its stacks. */
const folder = mkdtempSync(path.join(tmpdir(), "own-stack-"));
copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
writeFileSync(path.join(folder, `${STACK}.json`), blocks("json")[0] ?? "");
afterAll(() => {
    rmSync(folder, { recursive: true });
});

const rendered = (config: object) =>
    quietly(async () => {
        writeFileSync(path.join(folder, `Pulumi.${STACK}.yaml`), JSON.stringify({ config }));
        const program = stackConfig(STACK, undefined, {}, folder);
        return manifestsOf(await runProgram(STACK, program), false);
    });

test("the complete example renders, and nothing is against it", async () => {
    const objects = (await rendered(configOf(complete))).flatMap(objectsOf);
    const policies = policiesOf(STACK, policyInputsOf(STACK, folder), folder);
    expect(failuresOf(run(RULES, policies, objects)).map(message)).toEqual([]);
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
