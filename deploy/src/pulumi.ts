import { execa, type Options } from "execa";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, parseDocument } from "yaml";
import { ClusterError } from "./apply/cluster.ts";
import { completeSecrets, type Secrets } from "./secrets.ts";
import { PROGRAM } from "./render.ts";

export const PROJECT = "property-search";
const KUBERNETES_PLUGIN = "kubernetes";

export interface PulumiOptions {
    readonly stack: string;
    /** Kubeconfig whose current context is the target. */
    readonly kubeconfig: string;
    /** Config values over the stack's, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Folder for what belongs to this machine only: file backend, passphrase, the config's copy. */
    readonly stateFolder: string;
    /** Secrets that the stack is known to have already, from wherever it was deployed before. */
    readonly knownSecrets: Secrets;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

/** What `pulumi up` lacks on this machine, or undefined when it can run. */
export async function missingForPulumi(): Promise<string | undefined> {
    const version = await quiet("pulumi", ["version"]);
    if (version === undefined) return "the Pulumi CLI is not on PATH";
    const language = await quiet("pulumi-language-nodejs", ["-h"]);
    if (language === undefined) return "Pulumi's nodejs language host is not on PATH";
    if (await hasKubernetesPlugin()) return undefined;
    // Where the internet is reachable this is all it takes; elsewhere it fails at once.
    const wanted = await kubernetesVersion();
    await quiet("pulumi", ["plugin", "install", "resource", KUBERNETES_PLUGIN, wanted]);
    return (await hasKubernetesPlugin())
        ? undefined
        : `Pulumi's Kubernetes plugin ${wanted} is not installed and could not be downloaded`;
}

/**
 * `pulumi up` of a stack: on the backend the user is logged in to, else on a file backend of this
 * machine; with the stack's own config file, else (where values of this machine are added) with a copy
 * of it, so that no tracked file changes but for generated secrets of a shared stack.
 */
export async function pulumiUp(options: PulumiOptions): Promise<void> {
    const { stack, config, report, signal } = options;
    await mkdir(options.stateFolder, { recursive: true, mode: 0o700 });
    const own = Object.keys(config).length > 0;
    const configFile = own
        ? path.join(options.stateFolder, `Pulumi.${stack}.yaml`)
        : path.join(PROGRAM, `Pulumi.${stack}.yaml`);
    const kubeconfig = path.join(options.stateFolder, "kubeconfig");
    await writeFile(kubeconfig, options.kubeconfig, { mode: 0o600 });
    const environment = { KUBECONFIG: kubeconfig, ...(await backend(options, report)) };
    const run = (args: readonly string[], extra: Options = {}) =>
        execa("pulumi", [...args, "--non-interactive"], {
            cwd: PROGRAM,
            env: { PULUMI_SKIP_UPDATE_CHECK: "true", ...environment },
            reject: false,
            ...(signal && { cancelSignal: signal }),
            ...extra,
        });
    const must = async (args: readonly string[], extra: Options = {}) => {
        const { exitCode, stderr } = await run(args, extra);
        if (exitCode !== 0) {
            throw new ClusterError(
                `pulumi ${args.slice(0, 2).join(" ")} failed: ${String(stderr)}`,
            );
        }
    };

    const onStack = ["--stack", stack, "--config-file", configFile];
    const tracked = path.join(PROGRAM, `Pulumi.${stack}.yaml`);
    const before = await readFile(tracked, "utf8");
    await must(["stack", "select", "--create", stack]);
    if (own) {
        // Creating a stack writes a salt beside the program, where only this machine's copy wants one.
        await writeFile(tracked, before);
        await refreshCopy(stack, configFile);
    }
    const read = async (key: string) => {
        const { exitCode, stdout } = await run(["config", "get", `${PROJECT}:${key}`, ...onStack]);
        return exitCode === 0 ? String(stdout) : undefined;
    };
    // Values go in by standard input: no command line shows them.
    const write = (key: string, input: string, kind: "--secret" | "--plaintext") =>
        must(["config", "set", `${PROJECT}:${key}`, kind, ...onStack], { input });
    await storeSecrets(options, read, (key, value) => write(key, value, "--secret"));
    for (const [key, value] of Object.entries(config)) await write(key, value, "--plaintext");

    const up = run(["up", "--yes", "--skip-preview", "--suppress-outputs", ...onStack], {
        all: true,
    });
    for await (const line of up.iterable({ from: "all" })) report(String(line));
    const { exitCode } = await up;
    signal?.throwIfAborted();
    if (exitCode !== 0) {
        throw new ClusterError(
            `pulumi up failed with exit code ${exitCode}; its own words stand above. ` +
                "What it made is in the stack's state: run the same command again to go on.",
        );
    }
}

/** `pulumi preview` of a stack on the backend the user is logged in to, printed as it comes. */
export async function pulumiPreview(stack: string, signal?: AbortSignal): Promise<void> {
    const missing = await missingForPulumi();
    if (missing !== undefined) {
        throw new ClusterError(
            `a preview needs Pulumi, but ${missing}; make render STACK=${stack} shows the objects`,
        );
    }
    await execa("pulumi", ["preview", "--stack", stack, "--diff"], {
        cwd: PROGRAM,
        stdio: "inherit",
        ...(signal && { cancelSignal: signal }),
    });
}

async function quiet(command: string, args: readonly string[]): Promise<string | undefined> {
    const result = await execa(command, args, { reject: false, timeout: 60_000, stdin: "ignore" });
    // A language host answers -h with an exit code of its own: it is there when it could be started.
    return result.exitCode === undefined ? undefined : result.stdout;
}

async function kubernetesVersion(): Promise<string> {
    const file = path.join(PROGRAM, "node_modules/@pulumi/kubernetes/package.json");
    return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/** On PATH a plugin is taken whatever its version is; installed ones are looked up. */
async function hasKubernetesPlugin(): Promise<boolean> {
    if ((await quiet(`pulumi-resource-${KUBERNETES_PLUGIN}`, ["-h"])) !== undefined) return true;
    const list = (await quiet("pulumi", ["plugin", "ls", "--json"])) ?? "[]";
    const plugins = JSON.parse(list) as { name: string; version: string }[];
    const wanted = await kubernetesVersion();
    return plugins.some(({ name, version }) => name === KUBERNETES_PLUGIN && version === wanted);
}

/** The user's backend if there is one; otherwise a file backend with a passphrase, both made once. */
async function backend(
    { stateFolder }: PulumiOptions,
    report: (line: string) => void,
): Promise<Record<string, string>> {
    if (process.env.PULUMI_BACKEND_URL ?? process.env.PULUMI_ACCESS_TOKEN) return {};
    const who = await execa("pulumi", ["whoami", "--non-interactive"], { reject: false });
    if (who.exitCode === 0) return {};
    const folder = path.join(stateFolder, "backend");
    const passphrase = path.join(stateFolder, "passphrase");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(passphrase)) {
        await writeFile(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600 });
        report(`no Pulumi login found: state is kept in ${folder}, its passphrase beside it`);
    }
    return {
        PULUMI_BACKEND_URL: `file://${folder}`,
        ...(process.env.PULUMI_CONFIG_PASSPHRASE === undefined &&
            process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined && {
                PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
            }),
    };
}

/**
 * The copy follows the stack's file in everything but what only the copy has: the salt of its
 * passphrase and the values encrypted with it.
 */
async function refreshCopy(stack: string, copy: string): Promise<void> {
    const own = parseDocument(await readFile(path.join(PROGRAM, `Pulumi.${stack}.yaml`), "utf8"));
    if (existsSync(copy)) {
        const before = parse(await readFile(copy, "utf8")) as CopiedConfig;
        if (before.encryptionsalt) own.set("encryptionsalt", before.encryptionsalt);
        for (const [key, value] of Object.entries(before.config ?? {})) {
            if (typeof value === "object" && "secure" in value) own.setIn(["config", key], value);
        }
    }
    await writeFile(copy, own.toString(), { mode: 0o600 });
}

interface CopiedConfig {
    encryptionsalt?: string;
    config?: Record<string, string | { secure?: string }>;
}

/** Gives the stack's config each generated secret that it lacks: a known one, else a new one. */
async function storeSecrets(
    { knownSecrets, report }: PulumiOptions,
    read: (key: string) => Promise<string | undefined>,
    write: (key: string, value: string) => Promise<void>,
): Promise<void> {
    const { secrets } = completeSecrets(knownSecrets);
    for (const [key, value] of Object.entries(secrets)) {
        if ((await read(key)) !== undefined) continue;
        await write(key, value);
        report(`stored the secret ${key} in the stack's config, encrypted`);
    }
}
