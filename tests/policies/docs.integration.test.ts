import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { createDocs } from "../../policies/docs.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { render } from "../support/stacks.ts";

const PAGE = path.resolve(import.meta.dirname, "../../docs/policies.md");

test("docs/policies.md is what the rules say: make policies-docs", async () => {
    const { manifests } = await render({ stack: "prod" });
    const page = createDocs(RULES, readStackPolicies("prod"), manifests);
    const options = await resolveConfig(PAGE);
    const formatted = await format(page, { ...options, parser: "markdown" });
    expect(readFileSync(PAGE, "utf8")).toBe(formatted);
});
