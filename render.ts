import { GENERATED_SECRETS } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";

/** A rendered Kubernetes object. */
export interface Manifest {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string; [field: string]: unknown };
    [field: string]: unknown;
}

/** One registration that the program made with the engine. */
export interface Registration {
    readonly type: string;
    readonly name: string;
    readonly inputs: Record<string, unknown>;
}

export interface Rendering {
    readonly manifests: readonly Manifest[];
    readonly registrations: readonly Registration[];
    /** Types of what only Pulumi's engine can make, such as components of other plugins. */
    readonly left: readonly string[];
}

export interface RenderOptions {
    readonly stack: string;
    /** Config values over the stack's, by key without the project's name. */
    readonly config?: Readonly<Record<string, string>>;
    /** Whether Secrets show what they hold. Default: false, they show `[secret]`. */
    readonly showSecrets?: boolean;
}

const ROOT = import.meta.dirname;
const MASK = "[secret]";
/** Marks a secret in what the SDK sends to the engine. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** The order in which objects can be applied. */
const KIND_ORDER = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Service",
    "PodDisruptionBudget",
    "StatefulSet",
    "Job",
    "Deployment",
    "HorizontalPodAutoscaler",
];

/**
 * Runs the Pulumi program of a stack against a double of the engine and returns the Kubernetes objects
 * that it declares. Pulumi's SDK holds its engine, its config and its program's modules once for each
 * process, so a process renders once.
 *
 * @throws pulumi.RunError when the stack's config is wrong.
 */
export async function renderStack(options: RenderOptions): Promise<Rendering> {
    const project = readProject();
    setConfig(project, options);
    const registrations: Registration[] = [];
    await pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs }) => {
                const plain = unwrap(inputs) as Record<string, unknown>;
                registrations.push({ type, name, inputs: plain });
                return { id: name, state: plain };
            },
            call: ({ token }) => {
                throw new Error(`the program calls ${token}, which a rendering has no answer to`);
            },
        },
        project.name,
        options.stack,
        false,
    );
    await import("./index.ts");
    await pulumi.runtime.disconnect();
    return {
        registrations,
        manifests: registrations
            .filter(isKubernetesObject)
            .map(({ inputs }) => manifestOf(inputs, options.showSecrets ?? false))
            .sort(byOrder),
        left: registrations
            .filter((one) => !isKubernetesObject(one) && !one.type.startsWith("platform:"))
            .map(({ type }) => type),
    };
}

interface Project {
    readonly name: string;
    readonly config: Record<string, { default?: unknown; secret?: boolean }>;
}

function readProject(): Project {
    return parse(readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")) as Project;
}

/** Sets config as Pulumi does: the project's defaults, then the stack's file, then what is given. */
function setConfig(project: Project, { stack, config = {} }: RenderOptions): void {
    const values: Record<string, string> = {};
    const set = (key: string, value: unknown) => {
        values[key] = typeof value === "string" ? value : JSON.stringify(value);
    };
    const declared = Object.entries(project.config);
    for (const [key, { default: value }] of declared) {
        if (value !== undefined) set(`${project.name}:${key}`, value);
    }
    for (const [key, value] of Object.entries(readStack(stack))) {
        set(key, isEncrypted(value) ? MASK : value);
    }
    for (const key of GENERATED_SECRETS) values[`${project.name}:${key}`] ??= MASK;
    for (const [key, value] of Object.entries(config)) set(`${project.name}:${key}`, value);
    const secrets = declared.filter(([, { secret }]) => secret).map(([key]) => key);
    pulumi.runtime.setAllConfig(
        values,
        secrets.map((key) => `${project.name}:${key}`),
    );
}

function readStack(stack: string): Record<string, unknown> {
    const file = path.join(ROOT, `Pulumi.${stack}.yaml`);
    try {
        const { config } = parse(readFileSync(file, "utf8")) as {
            config?: Record<string, unknown>;
        };
        return config ?? {};
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        throw new pulumi.RunError(`stack is "${stack}", which has no file Pulumi.${stack}.yaml`);
    }
}

function isEncrypted(value: unknown): boolean {
    return typeof value === "object" && value !== null && "secure" in value;
}

function isKubernetesObject({ type, inputs }: Registration): boolean {
    return type.startsWith("kubernetes:") && "kind" in inputs && "metadata" in inputs;
}

/** Secrets of the engine's wire format, opened. */
function unwrap(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unwrap);
    if (typeof value !== "object" || value === null) return value;
    const fields = value as Record<string, unknown>;
    if (fields[SIGNATURE] === SECRET_SIGNATURE) return unwrap(fields["value"]);
    return Object.fromEntries(Object.entries(fields).map(([key, one]) => [key, unwrap(one)]));
}

function manifestOf(inputs: Record<string, unknown>, showSecrets: boolean): Manifest {
    const manifest = inputs as Manifest;
    if (manifest.kind !== "Secret" || showSecrets) return manifest;
    const stringData = Object.keys((manifest["stringData"] ?? {}) as object);
    return { ...manifest, stringData: Object.fromEntries(stringData.map((key) => [key, MASK])) };
}

function byOrder(a: Manifest, b: Manifest): number {
    const key = ({ kind, metadata }: Manifest) => {
        const rank = KIND_ORDER.indexOf(kind);
        const order = String(rank < 0 ? KIND_ORDER.length : rank).padStart(2, "0");
        return [order, kind, metadata.namespace ?? "", metadata.name].join(" ");
    };
    return key(a) < key(b) ? -1 : 1;
}

async function main(): Promise<void> {
    const { values } = parseArgs({
        options: {
            stack: { type: "string" },
            set: { type: "string", multiple: true, default: [] },
            config: { type: "string" },
            out: { type: "string" },
        },
    });
    if (values.stack === undefined)
        throw new pulumi.RunError("--stack is missing: dev, prod, local");
    const given = values.config
        ? (JSON.parse(readFileSync(values.config, "utf8")) as Record<string, string>)
        : {};
    const { manifests, left } = await renderStack({
        stack: values.stack,
        config: { ...given, ...Object.fromEntries(values.set.map(assignment)) },
        showSecrets: GENERATED_SECRETS.every((key) => given[key] !== undefined),
    });
    for (const type of left) {
        console.error(`not rendered: ${type}, which only Pulumi's engine can make`);
    }
    const text = manifests.map((manifest) => `---\n${stringify(manifest)}`).join("");
    if (values.out === undefined) {
        process.stdout.write(text);
        return;
    }
    mkdirSync(values.out, { recursive: true });
    const file = path.join(values.out, `${values.stack}.yaml`);
    writeFileSync(file, text);
    console.log(`Rendered ${manifests.length} objects of stack ${values.stack} into ${file}`);
}

function assignment(text: string): [string, string] {
    const at = text.indexOf("=");
    if (at < 1) throw new pulumi.RunError(`--set is "${text}"; allowed: key=value`);
    return [text.slice(0, at), text.slice(at + 1)];
}

if (import.meta.main) {
    main().catch((error: unknown) => {
        // A RunError is a sentence for the user; anything else is a fault of ours and keeps its stack.
        console.error(pulumi.RunError.isInstance(error) ? `Error: ${error.message}` : error);
        process.exitCode = 1;
    });
}
