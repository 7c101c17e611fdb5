import { readdirSync, readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import path from "node:path";

const SOURCE = path.resolve(import.meta.dirname, "..");
const UPLOT = path.dirname(createRequire(import.meta.url).resolve("uplot"));

/** Modules of the page, which it loads at once instead of one import after the other. */
export const MODULES = [
    ...["main.ts", "sections.ts", "elements.ts", "figure.ts", "plots.ts", "words.ts"],
    ...readdirSync(path.join(SOURCE, "page/sections")).map((name) => `sections/${name}`),
].map((name) => `page/${name}`);

/** What the browser gets, by its path below /impact/assets/: the tree of insights/src, so that imports lead to it. */
const FILES = {
    "page/style.css": path.join(SOURCE, "page/style.css"),
    ...Object.fromEntries(
        [...MODULES, "impact/view.ts", "report/format.ts"].map((name) => [
            name,
            path.join(SOURCE, name),
        ]),
    ),
    "uplot.js": path.join(UPLOT, "uPlot.esm.js"),
    "uplot.css": path.join(UPLOT, "uPlot.min.css"),
} as const;

/** The login form needs it, so that it needs no login. */
export const PUBLIC_ASSET = "page/style.css";

export interface Asset {
    readonly type: string;
    readonly body: Buffer;
}

/** Reads all files of the page. TypeScript is stripped of its types, as Node does: there is no build step. */
export function loadAssets(): ReadonlyMap<string, Asset> {
    return new Map(
        Object.entries(FILES).map(([name, file]) => {
            const text = readFileSync(file, "utf8");
            const isStyle = name.endsWith(".css");
            return [
                name,
                {
                    type: `${isStyle ? "text/css" : "text/javascript"}; charset=utf-8`,
                    body: Buffer.from(name.endsWith(".ts") ? stripTypes(text) : text),
                },
            ];
        }),
    );
}

function stripTypes(text: string): string {
    const emitWarning = process.emitWarning.bind(process);
    // Node warns that this function may change. Its version is pinned, and a test loads the page.
    process.emitWarning = () => undefined;
    try {
        return stripTypeScriptTypes(text).replace('from "uplot"', 'from "../uplot.js"');
    } finally {
        process.emitWarning = emitWarning;
    }
}
