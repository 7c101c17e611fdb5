import { expect, test } from "@jest/globals";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { COMMAND_VARIABLES, settingsReference } from "../../config/settingsReference.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PAGE = path.join(ROOT, "docs/settings.md");

test("docs/settings.md is what the declarations say: make settings", async () => {
    const options = await resolveConfig(PAGE);
    const formatted = await format(settingsReference(), { ...options, parser: "markdown" });
    expect(readFileSync(PAGE, "utf8")).toBe(formatted);
});

test("each setting is under the title of its group", () => {
    const [, ...sections] = settingsReference().split(/^## /m);
    const titled = (key: string) =>
        sections.find((section) => section.includes(`**\`${key}\`**`))?.split("\n")[0];
    expect(sections.map((section) => section.split("\n")[0])).not.toContain("");
    expect(["example.enabled", "insights.enabled"].map(titled)).toEqual(["Example", "Insights"]);
});

test("the reference lists every variable that a command reads", () => {
    const sources = globSync("{operations,local/src,insights/src}/**/*.ts", {
        cwd: ROOT,
        exclude: ["**/test/**"],
    });
    const read = sources.flatMap((file) => {
        const text = readFileSync(path.join(ROOT, file), "utf8");
        return [
            ...text.matchAll(/process\.env\.([A-Z_]+)/g),
            ...text.matchAll(/(?<=\{[^{}]*)\b([A-Z][A-Z_]+)\b(?=[^{}]*\} = process\.env)/g),
        ].map(([, name = ""]) => name);
    });
    // The receiver of alerts is a program of the local node, which sets its port.
    const named = new Set(Object.keys(COMMAND_VARIABLES));
    expect([...new Set(read)].filter((name) => !named.has(name) && name !== "PATH")).toEqual([]);
    expect(read.length).toBeGreaterThan(20);
});
