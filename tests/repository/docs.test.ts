import { describe, expect, test } from "@jest/globals";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const files = (pattern: string) => globSync(pattern, { cwd: ROOT }).sort();

/** Targets of a page's links to files of the repository, from its root. */
const linksOf = (page: string) =>
    [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]+)[^)]*\)/g)].map(([, target = ""]) =>
        path.join(path.dirname(page), target),
    );

/** Every page of the repository. */
const PAGES = ["*.md", ".github/*.md", "{docs,examples}/**/*.md", "{bench,insights,policies}/*.md"]
    .flatMap(files)
    .filter((page) => !page.includes("node_modules"));

/** Text of a page without its code blocks. */
const proseOf = (page: string) => read(page).replaceAll(/^ *```[^]*?^ *```$/gm, "");

/** Anchors of a page's headings, as GitHub derives them. */
const anchorsOf = (page: string) =>
    [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
        heading
            .toLowerCase()
            .replaceAll(/\]\([^)]*\)|[^\p{L}\p{N} _-]/gu, "")
            .replaceAll(" ", "-"),
    );

describe.each(PAGES)("%s", (page) => {
    test("links to files that exist", () => {
        expect(linksOf(page).filter((target) => !existsSync(path.join(ROOT, target)))).toEqual([]);
    });

    test("links to headings that exist", () => {
        const links = [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]*)#([^)\s]+)\)/g)];
        const missing = links.filter(([, target = "", anchor = ""]) => {
            const linked = target === "" ? page : path.join(path.dirname(page), target);
            return !anchorsOf(linked).includes(anchor);
        });
        expect(missing.map(([link]) => link)).toEqual([]);
    });

    test("has no table of more than five columns", () => {
        const rows = proseOf(page).match(/^\|.*\|$/gm) ?? [];
        expect(rows.filter((row) => row.split(/(?<!\\)\|/).length - 2 > 5)).toEqual([]);
    });
});

test.each([
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/testing.md",
])("%s names files and folders that exist", (page) => {
    const named = [...proseOf(page).matchAll(/`([\w.-]+\/[\w./-]*)`/g)]
        .map(([, name = ""]) => name)
        // Some are named below the folder that their sentence begins with.
        .filter((name) => !/^(rows|rules|[a-z]+\/$)/.test(name));
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
});

test("docs/README.md lists every page but the runbooks of alerts and the decisions", () => {
    const pages = files("docs/**/*.md").filter(
        (page) => !/^docs\/(README\.md|adr\/|runbooks\/[A-Z]\w*\.md)/.test(page),
    );
    const listed = new Set(linksOf("docs/README.md"));
    expect(pages.filter((page) => !listed.has(page))).toEqual([]);
    expect(listed).toContain("docs/runbooks/README.md");
});

test("docs/adr/README.md lists every decision, each with its status and date", () => {
    const decisions = files("docs/adr/[0-9]*.md");
    expect(linksOf("docs/adr/README.md").filter((page) => /\/\d/.test(page))).toEqual(decisions);
    for (const [index, page] of decisions.entries()) {
        const [title, , status] = read(page).split("\n");
        expect(title).toMatch(new RegExp(`^# ${index + 1}\\. `));
        expect([page, status]).toEqual([page, expect.stringMatching(/^Status: .*\d{4}-\d\d-\d\d/)]);
    }
});

test("every path of CODEOWNERS exists", () => {
    const paths = read(".github/CODEOWNERS").match(/^\/\S+/gm) ?? [];
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((one) => !existsSync(path.join(ROOT, one)))).toEqual([]);
});
