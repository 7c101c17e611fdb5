import { GENERATED_SECRETS } from "@property-search/contract";
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, parseDocument } from "yaml";
import { ClusterError, parseJson, type Manifest } from "../../cluster/connect.ts";
import { completeSecrets, type Secrets } from "../../stack/secrets.ts";
import { processFile } from "../../stack/processFiles.ts";
import { render, RenderError } from "../../stack/render.ts";
import type { PulumiCli } from "./cli.ts";
import { requirePlugins } from "./installed.ts";
import { readConfigValue } from "./secret.ts";
import type { KnownStack } from "./stack.ts";
import { PROJECT, stackConfigFile, type PulumiWorkspace } from "./workspace.ts";
import {
    ENCRYPTION_KEYS,
    readConfig,
    setConfig,
    setEncryption,
    type Encryption,
} from "./stackFile.ts";

export interface PrepareOptions {
    readonly workspace: PulumiWorkspace;
    readonly cli: PulumiCli;
    /** Folder for files of this machine. */
    readonly stateFolder: string;
    /** Config overrides; with any, the result is this machine's copy, else the stack's own file. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets of earlier deploys by the other method. */
    readonly knownSecrets: Secrets;
    readonly known: KnownStack;
    /** Whether the result is discarded, so that generated secrets are not reported. Default: false */
    readonly isPreview?: boolean;
    /** Checks the declared objects and the types that only Pulumi's engine can create; throws to reject them. */
    readonly onRendered?:
        ((manifests: readonly Manifest[], left: readonly string[]) => Promise<void>) | undefined;
    readonly report: (line: string) => void;
}

/** An accepted config in a draft file. */
export interface PreparedConfig {
    readonly file: string;
    /** Replaces the stack's config with the draft. */
    readonly save: () => Promise<void>;
    readonly discard: () => Promise<void>;
}

/**
 * Writes the config of an update to a draft file and lets the program check it. A rejected value is never saved: later
 * updates, such as the steps of a switch, would fail too.
 *
 * @throws RenderError with all problems of the config
 */
export async function prepareConfig(options: PrepareOptions): Promise<PreparedConfig> {
    const { workspace, cli, config, knownSecrets, report } = options;
    const { stack, configFile } = workspace;
    const tracked = stackConfigFile(stack);
    const isCopy = configFile !== tracked;
    const file = processFile(path.join(options.stateFolder, `draft-${stack}.yaml`));
    const discard = () => rm(file, { force: true });
    try {
        const [own, before] = [await readFile(tracked, "utf8"), await readCopy(configFile)];
        await writeFile(file, isCopy ? withSecretsFrom(own, before) : own, { mode: 0o600 });
        await setEncryption(file, options.known.encryption);
        await setConfig(file, parseCollections(config));
        const { left, manifests } = await checkConfig(stack, file);
        await requirePlugins(stack, left);
        await options.onRendered?.(manifests, left);
        await assertSecretsOfDeployedStack(options, file);
        const reportSecret = options.isPreview ? () => undefined : report;
        await storeMissingSecrets(file, knownSecrets, reportSecret, async (key, input) => {
            const onFile = ["--stack", stack, "--config-file", file];
            // Standard input keeps the value off the command line.
            await cli.must(["config", "set", `${PROJECT}:${key}`, "--secret", ...onFile], {
                input,
            });
        });
        // Another passphrase would fail the update after the cluster and the config have been bound to each other.
        await readConfigValue({ ...workspace, configFile: file }, GENERATED_SECRETS[0]);
    } catch (error) {
        await discard();
        throw error;
    }
    const keep = isCopy
        ? () => rename(file, configFile)
        : () => copyNewValues(file, tracked).then(discard);
    return { file, save: keep, discard };
}

/**
 * Checks that the config of a deployed stack has its secrets. Otherwise new ones would replace those of the running pods at
 * once, for example from a clone without the file that the first deploy has written.
 *
 * @throws ClusterError with the remedy
 */
async function assertSecretsOfDeployedStack(
    { workspace: { stack }, known, knownSecrets }: PrepareOptions,
    file: string,
): Promise<void> {
    if (!known.isDeployed) return;
    const secrets = GENERATED_SECRETS.map(
        async (key) => knownSecrets[key] ?? (await readConfig(file, key)),
    );
    if ((await Promise.all(secrets)).some((value) => value !== undefined)) return;
    throw new ClusterError(
        `stack ${stack} is deployed, and Pulumi.${stack}.yaml has none of its secrets: check out the commit with the ` +
            `file that its deploy has written, or restore the config of its last update with ` +
            `pulumi config refresh --stack ${stack}`,
    );
}

/**
 * Lets the program check a config file, without an engine.
 *
 * @returns the declared objects with masked secrets, and the types that only Pulumi's engine can create
 * @throws RenderError with all problems, including types
 */
export async function checkConfig(
    stack: string,
    file: string,
): Promise<{ readonly manifests: readonly Manifest[]; readonly left: readonly string[] }> {
    const { config = {} } = (parse(await readFile(file, "utf8")) ?? {}) as ConfigFile;
    const prefix = `${PROJECT}:`;
    const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
    const values = own.map(([key, value]) => [key.slice(prefix.length), textOf(value)]);
    const masked = GENERATED_SECRETS.map((key) => [key, MASK]);
    const given = Object.fromEntries([...masked, ...values]) as Record<string, string>;
    const warnings: string[] = [];
    const warn = (text: string) => warnings.push(text);
    const manifests = await render(stack, given, warn, { charts: false });
    const left = [...warnings.join("\n").matchAll(NOT_RENDERED)].flatMap(([, type]) => type ?? []);
    return { manifests, left };
}

/** Message of render.ts. */
const NOT_RENDERED = /^not rendered: ([^,\s]+)/gm;

/** All problems of a config file; undefined if the program accepts it. */
export async function findConfigProblem(stack: string, file: string): Promise<string | undefined> {
    try {
        await checkConfig(stack, file);
        return undefined;
    } catch (error) {
        if (error instanceof RenderError) return error.message.trim();
        throw error;
    }
}

/** Placeholder of a secret in rendered manifests. */
const MASK = "[secret]";

function textOf(value: unknown): string {
    if (isEncrypted(value)) return MASK;
    return typeof value === "string" ? value : JSON.stringify(value);
}

function isEncrypted(value: unknown): value is { readonly secure: unknown } {
    return typeof value === "object" && value !== null && "secure" in value;
}

interface ConfigFile extends Encryption {
    readonly config?: Readonly<Record<string, unknown>>;
}

async function readCopy(file: string): Promise<ConfigFile> {
    return existsSync(file) ? (parse(await readFile(file, "utf8")) as ConfigFile) : {};
}

/**
 * The stack's file with the encryption settings and the encrypted values of the copy.
 */
function withSecretsFrom(own: string, copy: ConfigFile): string {
    const document = parseDocument(own);
    for (const key of ENCRYPTION_KEYS) if (copy[key]) document.set(key, copy[key]);
    for (const [key, value] of Object.entries(copy.config ?? {})) {
        if (isEncrypted(value)) document.setIn(["config", key], value);
    }
    return document.toString();
}

/** Parses lists and objects: Pulumi accepts no text for these types. */
function parseCollections(
    config: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
        Object.entries(config).map(([key, text]) => {
            const value = parseJson(text);
            return [key, typeof value === "object" && value !== null ? value : text];
        }),
    );
}

/** Copies new values of a draft into the stack's file, whose layout stays unchanged. */
export async function copyNewValues(draft: string, tracked: string): Promise<void> {
    const { config = {}, ...rest } = await readCopy(draft);
    const { config: known = {} } = await readCopy(tracked);
    const prefix = `${PROJECT}:`;
    const added = Object.entries(config).filter(([key]) => !(key in known));
    await setConfig(
        tracked,
        Object.fromEntries(added.map(([key, value]) => [key.slice(prefix.length), value])),
    );
    await setEncryption(tracked, rest);
}

/**
 * Adds missing generated secrets to a config file: known values, else new ones. Existing ones are read from the file, since
 * `pulumi config get` fails for all keys while another one is missing.
 */
export async function storeMissingSecrets(
    file: string,
    knownSecrets: Secrets,
    report: (line: string) => void,
    write: (key: string, value: string) => Promise<void>,
): Promise<void> {
    const { secrets } = completeSecrets(knownSecrets);
    for (const [key, value] of Object.entries(secrets)) {
        if ((await readConfig(file, key)) !== undefined) continue;
        await write(key, value);
        report(`stored the secret ${key} in the stack's config, encrypted`);
    }
}
