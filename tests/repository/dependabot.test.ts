import { expect, test } from "@jest/globals";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Update {
    readonly "package-ecosystem": string;
    readonly directory?: string;
    readonly directories?: readonly string[];
}

const { updates } = parse(readFileSync(path.join(ROOT, ".github/dependabot.yml"), "utf8")) as {
    updates: readonly Update[];
};

/** Folders that Dependabot looks at in an ecosystem. */
const updated = (ecosystem: string) =>
    updates
        .filter((update) => update["package-ecosystem"] === ecosystem)
        .flatMap(({ directory, directories = [] }) => [
            ...(directory === undefined ? [] : [directory]),
            ...directories,
        ])
        .sort();

/** Folders of the repository that have such a file. */
const folders = (pattern: string) =>
    globSync(pattern, { cwd: ROOT, exclude: (name) => name === "node_modules" })
        .map((file) => path.posix.join("/", path.dirname(file)))
        .sort();

test.each([
    ["gomod", "**/go.mod"],
    ["docker", "{app,insights,examples,.devcontainer}/**/Dockerfile"],
    ["pip", "**/requirements.txt"],
    ["npm", "package-lock.json"],
])("%s: every %s is kept up to date", (ecosystem, pattern) => {
    expect(updated(ecosystem)).toEqual(folders(pattern));
});

test("github-actions: the workflows and every action of the repository", () => {
    expect(updated("github-actions")).toEqual(["/", ...folders(".github/actions/*/action.yml")]);
});
