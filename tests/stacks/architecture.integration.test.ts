import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { readMakefile } from "../support/docs/makefile.ts";
import { render } from "../support/stacks.ts";

const PICTURE = path.resolve(import.meta.dirname, "../../docs/architecture.svg");
/** What the stack does not contain, and folders of the repository. */
const OUTSIDE = new Set(["client", "upstream", "operations", "policies"]);

test("the picture of the architecture names what the stack prod contains", async () => {
    const svg = readFileSync(PICTURE, "utf8");
    const names = [...svg.matchAll(/<text class="name"[^>]*>([^<]+)</g)]
        .map(([, name = ""]) => name)
        .join("\n")
        // One name is written in two lines.
        .replace("kube-state-\nmetrics", "kube-state-metrics")
        .split("\n");
    const { manifests } = await render({ stack: "prod" });
    const { targets } = readMakefile();
    const known = new Set(manifests.map(({ metadata }) => metadata.name));
    const unknown = names.filter(
        (name) =>
            !known.has(name) && !OUTSIDE.has(name) && !targets.has(name.replace(/^make /, "")),
    );
    expect(unknown).toEqual([]);
    expect(names.length).toBeGreaterThan(15);

    const drawn = names.filter((name) => name.startsWith("property-search-"));
    const namespaces = manifests.filter(({ kind }) => kind === "Namespace");
    // cert-manager's is left out of the picture.
    expect(namespaces.map(({ metadata }) => metadata.name).sort()).toEqual(
        [...drawn, "property-search-certificates"].sort(),
    );
});
