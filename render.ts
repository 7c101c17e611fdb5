import { invalidValue, makeFolder, runCommand } from "@property-search/contract";
import { Command, Option } from "commander";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { readStack, requireStackName } from "./operations/stack/stacks.ts";
import { CHART_TYPE, chartManifests } from "./render/charts.ts";
import {
    compareManifests,
    isKubernetesObject,
    toManifests,
    type Manifest,
} from "./render/manifests.ts";
import { runProgram, type Registration } from "./render/program.ts";
import { stackConfig } from "./render/stackConfig.ts";

export type { Manifest, Registration };

export interface RenderOptions {
    readonly stack: string;
    /**
     * Overrides of the stack's config including its secrets, by key without the project name; secrets are then
     * rendered. Default: none, and secrets are masked.
     */
    readonly config?: Readonly<Record<string, string>>;
    /** Overrides with the highest precedence, which do not affect the masking of secrets. */
    readonly overrides?: Readonly<Record<string, string>>;
    /** Whether to render charts with the Helm on PATH. Default: false; they are listed in `notRendered`. */
    readonly charts?: boolean;
}

export interface Rendering {
    /** In an order in which they can be applied. */
    readonly manifests: readonly Manifest[];
    readonly registrations: readonly Registration[];
    /** Types of resources that only Pulumi's engine can create, such as components of other plugins. */
    readonly notRendered: readonly string[];
}

/**
 * Renders the Kubernetes objects of a stack without Pulumi's engine, a plugin or a cluster. Not reentrant, since
 * Pulumi's settings are global.
 *
 * @throws pulumi.RunError with every problem of the stack's config
 */
export async function renderStack(options: RenderOptions): Promise<Rendering> {
    const { stack, config, overrides, charts = false } = options;
    const program = stackConfig(stack, config, overrides);
    const registrations = await runProgram(stack, program);
    const rendered = charts ? await chartManifests(registrations) : [];
    return {
        manifests: [...toManifests(registrations, config !== undefined), ...rendered].sort(
            compareManifests,
        ),
        registrations,
        notRendered: registrations
            .filter(
                (one) => !isKubernetesObject(one) && !/^(property-search|pulumi):/.test(one.type),
            )
            .map(({ type }) => type)
            .filter((type) => !charts || type !== CHART_TYPE),
    };
}

interface RenderFlags {
    readonly stack?: string;
    readonly set: Readonly<Record<string, string>>;
    readonly config?: string;
    readonly charts: boolean;
    readonly out?: string;
    readonly format: "yaml" | "json";
}

const program = new Command("render")
    .description("Renders the Kubernetes objects of a stack without Pulumi and without a cluster")
    .option("--stack <name>", "name of a stack with a file Pulumi.<name>.yaml", readStack)
    .option("--set <key=value>", "override of the stack's config; repeatable", assign, {})
    .option("--config <file>", "JSON file with overrides including secrets; - is stdin")
    .option("--charts", "also render charts with the Helm on PATH", false)
    .option("--out <folder>", "output folder; default: standard output")
    .addOption(
        new Option("--format <format>", "format of the manifests")
            .choices(["yaml", "json"])
            .default("yaml"),
    )
    .action(async ({ set: overrides, config, charts, out, format, ...flags }: RenderFlags) => {
        const stack = requireStackName(flags.stack);
        const given = config === undefined ? {} : { config: readConfig(config) };
        const { manifests, notRendered } = await renderStack({
            stack,
            overrides,
            charts,
            ...given,
        });
        for (const type of notRendered) {
            console.error(`not rendered: ${type}, which only Pulumi's engine can create`);
        }
        const text = format === "json" ? jsonOf(manifests) : yamlOf(manifests);
        if (out === undefined) {
            process.stdout.write(text);
            return;
        }
        const file = path.join(out, `${stack}.${format}`);
        makeFolder("--out", path.resolve(out));
        writeFileSync(file, text, { mode: 0o600 });
        const secrets = config === undefined ? "secrets masked" : "secrets readable";
        console.log(`Rendered stack ${stack}: ${manifests.length} objects, ${secrets}, in ${file}`);
    });

function assign(text: string, set: Readonly<Record<string, string>>): Record<string, string> {
    const at = text.indexOf("=");
    if (at < 1) throw invalidValue("--set", text, "KEY=VALUE");
    return { ...set, [text.slice(0, at)]: text.slice(at + 1) };
}

const STDIN = 0;

/** @param file JSON of keys and values; `-` is standard input, which keeps secrets off the disk. */
function readConfig(file: string): Record<string, string> {
    const config = parseJson(readFileSync(file === "-" ? STDIN : file, "utf8"));
    const isText = (value: unknown) => typeof value === "string";
    if (typeof config === "object" && config && Object.values(config).every(isText)) {
        return config as Record<string, string>;
    }
    throw invalidValue("--config", file, "JSON, an object of keys and text values");
}

/** @returns undefined for invalid JSON: the parser's error message would reveal the text. */
function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function yamlOf(manifests: readonly Manifest[]): string {
    // No folded lines and no anchors, which some YAML parsers do not support. kubectl reads YAML 1.1, in which "yes"
    // and "012" are strings only in quotes.
    const options = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" } as const;
    return manifests.map((manifest) => `---\n${stringify(manifest, options)}`).join("");
}

function jsonOf(items: readonly Manifest[]): string {
    return `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2)}\n`;
}

if (import.meta.main) await runCommand(program);
