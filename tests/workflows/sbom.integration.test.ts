import { describe, expect, test } from "@jest/globals";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import {
    createNotice,
    createSbom,
    licenceOf,
    rejectedLicences,
    SHIPPED,
    WITHOUT_LICENCE_FILE,
} from "../../.github/scripts/sbom.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

test("cover each image that app/publish.sh publishes, and each has the notice", () => {
    const publish = readFileSync(path.join(ROOT, "app/publish.sh"), "utf8");
    const [, workspaces = ""] = /workspace =~ \^\(([^)]*)\)\$/.exec(publish) ?? [];
    expect(workspaces.split("|").sort()).toEqual([...SHIPPED].sort());
    for (const workspace of SHIPPED) {
        const dockerfile = readFileSync(path.join(ROOT, workspace, "Dockerfile"), "utf8");
        expect(dockerfile).toContain("\nCOPY THIRD_PARTY.md ./\n");
    }
});

describe.each(SHIPPED)("packages of the image of %s", (workspace) => {
    const sbom = createSbom(workspace);

    test("are those of its package.json, with those that they need, and no tools of development", () => {
        const file = path.join(ROOT, workspace, "package.json");
        const { dependencies, devDependencies = {} } = JSON.parse(readFileSync(file, "utf8")) as {
            dependencies: Record<string, string>;
            devDependencies?: Record<string, string>;
        };
        const names = new Set(sbom.components.map(({ purl = "" }) => nameOf(purl)));
        expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([]);
        expect(Object.keys(devDependencies).filter((name) => names.has(name))).toEqual([]);
    });

    test("have a licence that is allowed", () => {
        expect(rejectedLicences(sbom)).toEqual([]);
        expect(sbom.components.every((one) => licenceOf(one) !== "none")).toBe(true);
    });

    test("bring the text of their licence, or THIRD_PARTY.md has it", () => {
        const without = sbom.components
            .map(({ purl = "" }) => nameOf(purl))
            .filter(
                (name) => !name.startsWith("@property-search/") && !name.includes("langchain4j"),
            )
            .filter((name) => !hasLicenceFile(workspace, name))
            .filter((name) => !(name in WITHOUT_LICENCE_FILE));
        expect(without).toEqual([]);
    });
});

test("the service's list names the model by its hash", () => {
    expect(createSbom("app").components.at(-1)).toMatchObject({
        type: "machine-learning-model",
        purl: expect.stringMatching(/^pkg:maven\/dev\.langchain4j\/.*@\d/),
        hashes: [{ alg: "SHA-256", content: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
});

test("a licence that is not allowed is rejected, and so is none", () => {
    const one = { type: "library", name: "a", version: "1" };
    const sbom = {
        metadata: { component: one },
        components: [one, { ...one, name: "b", licenses: [{ license: { id: "GPL-3.0-only" } }] }],
    };
    expect(rejectedLicences(sbom)).toEqual(["a@1: none", "b@1: GPL-3.0-only"]);
});

test("THIRD_PARTY.md is what the lockfile says: make licences", async () => {
    const page = path.join(ROOT, "THIRD_PARTY.md");
    const options = await resolveConfig(page);
    const formatted = await format(createNotice(), { ...options, parser: "markdown" });
    expect(readFileSync(page, "utf8")).toBe(formatted);
});

function nameOf(purl: string): string {
    return decodeURIComponent(purl.replace(/^pkg:\w+\/|@[^@]*$/g, ""));
}

function hasLicenceFile(workspace: string, name: string): boolean {
    return [path.join(workspace, "node_modules", name), path.join("node_modules", name)]
        .map((folder) => path.join(ROOT, folder))
        .filter((folder) => existsSync(folder))
        .some((folder) => readdirSync(folder).some((file) => /licen[cs]e|copying/i.test(file)));
}
