import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const NOTICE = path.join(ROOT, "THIRD_PARTY.md");

/** Workspaces whose image ships. */
export const SHIPPED = ["app", "insights", "examples/property-search"] as const;

/** Licences that ask for no more than their text and the names of the authors, both of which each package brings. */
export const ALLOWED_LICENCES: readonly string[] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BlueOak-1.0.0",
    "ISC",
    "MIT",
    "(MIT OR CC0-1.0)",
];

interface Component {
    readonly type: string;
    readonly name: string;
    readonly version: string;
    readonly purl?: string;
    readonly licenses?: readonly {
        readonly license?: { readonly id?: string; readonly name?: string };
        readonly expression?: string;
    }[];
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** CycloneDX 1.5, as `npm sbom` writes it. */
export interface Sbom {
    readonly metadata: { readonly component: Component };
    readonly components: readonly Component[];
}

/** @returns the packages of a workspace's image by the lockfile, and the model that the service brings */
export function createSbom(workspace: (typeof SHIPPED)[number]): Sbom {
    // Not --omit dev: npm 11 then leaves out packages that tools of development need as well.
    const options = ["--sbom-format", "cyclonedx", "--package-lock-only", "--workspace", workspace];
    const text = execFileSync("npm", ["sbom", ...options], {
        cwd: ROOT,
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
    });
    const sbom = JSON.parse(text) as Sbom & { readonly dependencies?: unknown };
    const needed = neededBy(workspace);
    const packages = sbom.components.filter(({ purl }) => purl !== undefined && needed.has(purl));
    const components = workspace === "app" ? [...packages, localModel()] : packages;
    // The graph names what was left out.
    return { ...sbom, components, dependencies: undefined } as Sbom;
}

interface Locked {
    /** Of a workspace; the name of any other package is that of its folder. */
    readonly name?: string;
    readonly version?: string;
    readonly resolved?: string;
    readonly link?: boolean;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** @returns the package URLs of a workspace's dependencies, and theirs, by the lockfile */
function neededBy(workspace: string): ReadonlySet<string> {
    const file = readFileSync(path.join(ROOT, "package-lock.json"), "utf8");
    const { packages } = JSON.parse(file) as { packages: Readonly<Record<string, Locked>> };
    const seen = new Set<string>();
    const visit = (folder: string): void => {
        if (seen.has(folder)) return;
        seen.add(folder);
        const { dependencies, optionalDependencies } = packages[folder] ?? {};
        for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
            const found = foldersAbove(folder)
                .map((above) => path.join(above, "node_modules", name))
                .find((one) => packages[one] !== undefined);
            if (found !== undefined)
                visit(packages[found]?.link ? (packages[found].resolved ?? "") : found);
        }
    };
    visit(workspace);
    return new Set(
        [...seen].map((folder) => {
            const { name = folder.split("node_modules/").at(-1) ?? "", version = "" } =
                packages[folder] ?? {};
            return `pkg:npm/${encodeName(name)}@${version}`;
        }),
    );
}

const encodeName = (name: string) => name.replace("@", "%40");

/** Where Node looks for the packages of a folder, from itself up to the repository. */
function foldersAbove(folder: string): readonly string[] {
    const parts = folder === "" ? [] : folder.split("/");
    return parts.map((_, index) => parts.slice(0, parts.length - index).join("/")).concat("");
}

/** all-MiniLM-L6-v2, as app/model/fetch.sh pins it. Its licence is that of its model card and of the artifact. */
function localModel(): Component {
    const script = readFileSync(path.join(ROOT, "app/model/fetch.sh"), "utf8");
    const [, group = "", name = "", version = ""] =
        /^artifact=([^:]+):([^:]+):(.+)$/m.exec(script) ?? [];
    const [, sha256 = ""] = /^model_sha256=(\w+)$/m.exec(script) ?? [];
    return {
        type: "machine-learning-model",
        name: "all-MiniLM-L6-v2",
        version,
        purl: `pkg:maven/${group}/${name}@${version}`,
        licenses: [{ license: { id: "Apache-2.0" } }],
        hashes: [{ alg: "SHA-256", content: sha256 }],
    };
}

/** @returns the licence of a component as an SPDX expression, or as the package names it */
export function licenceOf({ licenses = [] }: Component): string {
    const names = licenses.map(
        ({ license, expression }) => license?.id ?? license?.name ?? expression,
    );
    return names.length === 0 ? "none" : names.join(" AND ");
}

/** @returns components whose licence is not allowed, each as `name@version: licence` */
export function rejectedLicences({ components }: Sbom): readonly string[] {
    return components
        .filter((component) => !ALLOWED_LICENCES.includes(licenceOf(component)))
        .map((component) => `${component.name}@${component.version}: ${licenceOf(component)}`);
}

/** Packages under the MIT licence that do not bring its text, and whom it names. */
export const WITHOUT_LICENCE_FILE: Readonly<Record<string, string>> = {
    "onnxruntime-node": "Microsoft Corporation",
    "onnxruntime-common": "Microsoft Corporation",
    "abstract-logging": "James Sumners",
};
const MIT = [
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated " +
        'documentation files (the "Software"), to deal in the Software without restriction, including without ' +
        "limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the " +
        "Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:",
    "The above copyright notice and this permission notice shall be included in all copies or substantial portions of " +
        "the Software.",
    'THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO ' +
        "THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE " +
        "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF " +
        "CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER " +
        "DEALINGS IN THE SOFTWARE.",
].join("\n\n");

const isOurs = ({ purl = "" }: Component) => purl.includes("%40property-search/");

/** @returns THIRD_PARTY.md */
export function createNotice(): string {
    const lists = SHIPPED.map((workspace) => {
        const lines = createSbom(workspace)
            .components.filter((component) => !isOurs(component))
            .map((component) => {
                const name = decodeURIComponent(
                    component.purl?.replace(/^pkg:\w+\/|@[^@]*$/g, "") ?? component.name,
                );
                return `- ${name} ${component.version} (${licenceOf(component)})`;
            });
        return `## Image of ${workspace}\n\n${[...new Set(lines)].sort().join("\n")}`;
    });
    return [
        "# Third-party software",
        "What the images contain beside our own code, generated by `make licences` from the lockfile. Each package keeps " +
            "its licence below `node_modules` of the image, apart from those at the end of this page. The base image is Debian with Node.js (MIT, with the notices " +
            "in its LICENSE): `/usr/share/doc/*/copyright` holds the licences of its packages, and the list of packages that is " +
            "attached to an image names them. The model is all-MiniLM-L6-v2 (Apache-2.0), converted to ONNX.",
        ...lists,
        "## Licence texts",
        "These packages do not bring the text of their licence, MIT:",
        Object.entries(WITHOUT_LICENCE_FILE)
            .map(([name, holder]) => `- ${name}: Copyright (c) ${holder}`)
            .join("\n"),
        MIT,
        "",
    ].join("\n\n");
}

/** `sbom.ts DIRECTORY` writes one file a workspace; `sbom.ts --notice` checks licences and writes THIRD_PARTY.md. */
function main(target: string): void {
    if (target === "--notice") {
        const rejected = SHIPPED.flatMap((workspace) => rejectedLicences(createSbom(workspace)));
        if (rejected.length > 0) {
            console.error(`${rejected.join("\n")}\nallowed: ${ALLOWED_LICENCES.join(", ")}`);
            process.exitCode = 1;
            return;
        }
        writeFileSync(NOTICE, createNotice());
        return;
    }
    for (const workspace of SHIPPED) {
        const file = path.join(target, `${workspace}.cdx.json`);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, `${JSON.stringify(createSbom(workspace), undefined, 2)}\n`);
        console.log(file);
    }
}

if (import.meta.main) main(process.argv[2] ?? "sbom");
