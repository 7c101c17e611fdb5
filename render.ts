import * as pulumi from "@pulumi/pulumi";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { warningsOf } from "./config/effects.ts";
import { CHART_TYPE, chartManifests } from "./render/charts.ts";
import { inOrder, isKubernetesObject, manifestsOf, type Manifest } from "./render/manifests.ts";
import { runProgram, type Registration } from "./render/program.ts";
import { stackConfig } from "./render/stackConfig.ts";

export type { Manifest, Registration };

export interface RenderOptions {
    readonly stack: string;
    /**
     * Config values over the stack's, by key without the project's name, the stack's secrets among them,
     * which are then shown. Default: none, and secrets are masked.
     */
    readonly config?: Readonly<Record<string, string>>;
    /** Config values over all others. They do not change whether secrets are shown. */
    readonly overrides?: Readonly<Record<string, string>>;
    /** Whether charts are rendered too, by the Helm on PATH. Default: they are named in `left`. */
    readonly charts?: boolean;
}

export interface Rendering {
    /** In an order in which they can be applied. */
    readonly manifests: readonly Manifest[];
    readonly registrations: readonly Registration[];
    /** Types of what only Pulumi's engine can make, such as components of other plugins. */
    readonly left: readonly string[];
    /** Keys that are set to no effect, in sentences. */
    readonly warnings: readonly string[];
}

/**
 * The Kubernetes objects that the Pulumi program declares for a stack, without an engine, a plugin or a
 * cluster. Once in a process.
 *
 * @throws pulumi.RunError when the stack's config is wrong, with every finding.
 */
export async function renderStack(options: RenderOptions): Promise<Rendering> {
    const { stack, config, overrides, charts = false } = options;
    const program = stackConfig(stack, config, overrides);
    const registrations = await runProgram(stack, program);
    const rendered = charts ? await chartManifests(registrations) : [];
    return {
        manifests: [...manifestsOf(registrations, config !== undefined), ...rendered].sort(inOrder),
        registrations,
        left: registrations
            .filter((one) => !isKubernetesObject(one) && !/^(platform|pulumi):/.test(one.type))
            .map(({ type }) => type)
            .filter((type) => !charts || type !== CHART_TYPE),
        warnings: warningsOf((key) => {
            const value = program.values[`${program.project}:${key}`];
            return value === "" ? undefined : value;
        }),
    };
}

const USAGE =
    "node render.ts --stack NAME [--set KEY=VALUE]… [--config FILE.json] [--charts] [--out FOLDER] [--format yaml|json]";

async function main(): Promise<void> {
    const { stack, format, out, ...options } = readArguments();
    const { manifests, left, warnings } = await renderStack({ stack, ...options });
    for (const warning of warnings) console.error(`warning: ${warning}`);
    for (const type of left) {
        console.error(`not rendered: ${type}, which only Pulumi's engine can make`);
    }
    const text = format === "json" ? jsonOf(manifests) : yamlOf(manifests);
    if (out === undefined) {
        process.stdout.write(text);
        return;
    }
    const file = path.join(out, `${stack}.${format}`);
    mkdirSync(out, { recursive: true });
    writeFileSync(file, text, { mode: 0o600 });
    const secrets = options.config ? "secrets readable" : "secrets masked";
    console.log(`Rendered stack ${stack}: ${manifests.length} objects, ${secrets}, in ${file}`);
}

function readArguments() {
    const { values } = parseArgs({
        options: {
            stack: { type: "string" },
            set: { type: "string", multiple: true, default: [] },
            charts: { type: "boolean", default: false },
            config: { type: "string" },
            out: { type: "string" },
            format: { type: "string", default: "yaml" },
        },
    });
    const { stack, format, out, config, set, charts } = values;
    if (stack === undefined) throw new pulumi.RunError(`--stack is not set; usage: ${USAGE}`);
    if (format !== "yaml" && format !== "json") {
        throw new pulumi.RunError(`--format is "${format}"; allowed: yaml, json`);
    }
    const overrides = Object.fromEntries(set.map(assignment));
    return {
        stack,
        format,
        out,
        overrides,
        charts,
        ...(config && { config: readConfig(config) }),
    } as const;
}

function assignment(text: string): [string, string] {
    const at = text.indexOf("=");
    if (at < 1) throw new pulumi.RunError(`--set is "${text}"; allowed: KEY=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)];
}

const STDIN = 0;

/** @param file JSON of keys and values; `-` is standard input, which keeps secrets off the disk. */
function readConfig(file: string): Record<string, string> {
    const config: unknown = JSON.parse(readFileSync(file === "-" ? STDIN : file, "utf8"));
    const isText = (value: unknown) => typeof value === "string";
    if (typeof config === "object" && config && Object.values(config).every(isText)) {
        return config as Record<string, string>;
    }
    throw new pulumi.RunError(`--config ${file} is not an object of keys and text values`);
}

function yamlOf(manifests: readonly Manifest[]): string {
    // Long lines stay whole, and nothing is shared by anchors: some readers of YAML know neither. kubectl reads
    // YAML 1.1, in which words such as "yes" and "012" are no texts without quotes.
    const options = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" } as const;
    return manifests.map((manifest) => `---\n${stringify(manifest, options)}`).join("");
}

function jsonOf(items: readonly Manifest[]): string {
    return `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2)}\n`;
}

if (import.meta.main) {
    main().catch((error: unknown) => {
        // A RunError is a sentence for the user; anything else is a fault of ours and keeps its stack.
        console.error(pulumi.RunError.isInstance(error) ? `Error: ${error.message}` : error);
        process.exitCode = 1;
    });
}
