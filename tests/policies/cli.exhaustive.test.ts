import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { addPulumiToPath } from "../../local/src/toolchain/pulumi.ts";
import { formatHeadline } from "../../policies/engine/message.ts";
import { findAdvisories, findFailures, runRules } from "../../policies/engine/run.ts";
import { toObjects } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { openCli, OUR_PACK, type Cli } from "../../policies/test/support/cli.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { render } from "../support/stacks.ts";

// The real CLI, with some hundred objects.
jest.setTimeout(600_000);

const STACK = "dev";

let cli: Cli;

beforeAll(async () => {
    await addPulumiToPath();
    const { project, values, secretKeys } = stackConfig(STACK, undefined);
    const config = Object.entries(values).map(
        ([key, value]) => [key, { value, secret: secretKeys.includes(key) }] as const,
    );
    cli = await openCli(project, Object.fromEntries(config));
});

afterAll(() => cli.close());

/** First lines of what policies report, below their names and what they demand. */
function reported(text: string): string[] {
    const reports = text.matchAll(/\[(?:mandatory|advisory)\].* {2}(\S+) {2}\(.*\n.*\n *(.*)/g);
    const lines = [...reports].filter(([, policy]) => policy !== "exemptions");
    return [...new Set(lines.map(([, , line = ""]) => line))].sort();
}

const program = async () => (await import("../../index.ts")).default();

test("a first preview of the stack reports what make policies reports, and leaves nothing undecided", async () => {
    const { succeeded, text } = await cli.preview(program, OUR_PACK, readStackPolicies(STACK));
    const { manifests } = await render({ stack: STACK });
    const result = runRules(RULES, readStackPolicies(STACK), manifests.flatMap(toObjects));
    const failures = findFailures(result).map(formatHeadline);
    const advices = findAdvisories(result).map(formatHeadline);
    expect(reported(text)).toEqual([...new Set([...failures, ...advices])].sort());
    expect(text).not.toContain("can't be known");
    expect(text).toMatch(/Policies:\n.*property-search@v/);
    expect(text).toContain("kubernetes:apps/v1:Deployment");
    expect(succeeded).toBe(failures.length === 0);
});

// Before the update: the stack would not delete protected resources.
test.each(["dev", "prod", "local"])(
    "the engine takes what stack %s sets of the rules",
    async (stack) => {
        const nothing = () => Promise.resolve();
        const { succeeded, text } = await cli.preview(nothing, OUR_PACK, readStackPolicies(stack));
        expect(text).toMatch(/Policies:\n.*property-search@v/);
        expect(succeeded).toBe(true);
    },
);

test("an update, even without changes, is checked by declared inputs, not by fields that a server adds", async () => {
    for (const changes of [/\+ \d+ created/, /\d+ unchanged/]) {
        const { succeeded, text } = await cli.up(program, OUR_PACK, readStackPolicies(STACK));
        expect(reported(text)).toEqual([]);
        expect(text).toMatch(changes);
        expect(succeeded).toBe(true);
    }
});
