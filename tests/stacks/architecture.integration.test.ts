import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { readMakefile } from "../support/docs/makefile.ts";
import { render } from "../support/stacks.ts";

const PICTURE = path.resolve(import.meta.dirname, "../../docs/architecture.svg");
/** What the stack does not contain, and folders of the repository. */
const OUTSIDE = new Set(["client", "upstream", "operations", "policies"]);

const SVG = readFileSync(PICTURE, "utf8");
const attributes = (tag: string): Partial<Record<string, string>> =>
    Object.fromEntries(
        [...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
    );

/** Pixels of a note at 12 px, within 3 % of what a browser draws. */
const widthOf = (words: string) =>
    [...words].reduce(
        (sum, one) => sum + (/[iljftr,.;:' ]/.test(one) ? 4.1 : /[mwMW%]/.test(one) ? 11 : 7.2),
        0,
    );

test("Prometheus is drawn as scraping and scaling both colours, and the example as a client", () => {
    // Each colour has its zone, and each zone the ends of a scrape and of a miss rate.
    const zones = { blue: [20, 246], green: [266, 396] } as const;
    const heights = [...SVG.matchAll(/"flow watch" d="M\d+ (\d+)([^"]*)"/g)].map(
        ([, begin = "", rest = ""]) => Number([...rest.matchAll(/V(\d+)/g)].at(-1)?.[1] ?? begin),
    );
    for (const [top, bottom] of Object.values(zones)) {
        expect(heights.filter((height) => height > top && height < bottom)).toHaveLength(2);
    }
    expect(SVG).toContain(">example</text>");
});

test("texts of the picture keep a distance from the right edges of their boxes", () => {
    const boxes = [...SVG.matchAll(/<rect class="(?:box|zone|outside)[^>]*>/g)].map(([tag]) => {
        const [x = NaN, y = NaN, width = NaN, height = NaN] = ["x", "y", "width", "height"].map(
            (name) => Number(attributes(tag)[name]),
        );
        return { x, y, right: x + width, bottom: y + height };
    });
    const texts = [...SVG.matchAll(/(<text class="note"[^>]*>)([^<]*)</g)];
    const tooLong = texts.filter(([, tag = "", words = ""]) => {
        const { x: left, y: base, "text-anchor": anchor } = attributes(tag);
        const [x, y] = [Number(left), Number(base)];
        const [box] = boxes
            .filter((one) => x > one.x && x < one.right && y > one.y && y < one.bottom)
            .sort((one, other) => one.right - one.x - (other.right - other.x));
        const width = widthOf(words) / (anchor === "middle" ? 2 : 1);
        return box && x + width > box.right - 8;
    });
    expect(texts.length).toBeGreaterThan(30);
    expect(tooLong.map(([, , words]) => words)).toEqual([]);
});

test("the picture of the architecture names what the stack prod contains", async () => {
    const names = [...SVG.matchAll(/<text class="name"[^>]*>([^<]+)</g)]
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
