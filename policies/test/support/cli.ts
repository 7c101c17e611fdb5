import * as kubernetes from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import {
    CommandError,
    LocalWorkspace,
    type ConfigMap,
    type PulumiFn,
} from "@pulumi/pulumi/automation/index.js";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startKubernetesProvider } from "../../../tests/support/pulumi/provider.ts";
import type { Json } from "../../kubernetes/object.ts";

const POLICIES = path.resolve(import.meta.dirname, "../..");
export const OUR_PACK = POLICIES;
export const TEST_PACK = path.join(POLICIES, "test/support/pack");

export interface PulumiOutput {
    readonly succeeded: boolean;
    readonly text: string;
}

export interface Cli {
    readonly preview: (program: PulumiFn, pack: string, config?: Json) => Promise<PulumiOutput>;
    readonly up: (program: PulumiFn, pack: string, config?: Json) => Promise<PulumiOutput>;
    /** An object that updates have made, by `Kind/namespace/name`. */
    readonly live: (id: string) => Promise<Json | undefined>;
    readonly close: () => Promise<void>;
}

/** The real CLI with a stack of its own on a file backend, in a cluster that is a file. */
export async function openCli(project = "policies", values: ConfigMap = {}): Promise<Cli> {
    const folder = await mkdtemp(path.join(tmpdir(), "policies-"));
    const at = (name: string) => path.join(folder, name);
    await Promise.all(["backend", "home", "program", "bin"].map((name) => mkdir(at(name))));
    const provider = await startKubernetesProvider(folder);
    await addAnalyzer(at("bin"));
    const envVars = {
        ...provider.settings,
        // The language host starts a pack by the node that it finds there.
        PATH: [at("bin"), path.dirname(process.execPath), process.env.PATH].join(":"),
        PULUMI_BACKEND_URL: `file://${at("backend")}`,
        PULUMI_CONFIG_PASSPHRASE: "of the tests",
        PULUMI_HOME: at("home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const run = async (
        command: "preview" | "up",
        program: PulumiFn,
        pack: string,
        config: Json = {},
    ): Promise<PulumiOutput> => {
        const stack = await LocalWorkspace.createOrSelectStack(
            { stackName: "dev", projectName: project, program },
            { workDir: at("program"), envVars },
        );
        await stack.setAllConfig(values);
        const file = at("policies.json");
        await writeFile(file, JSON.stringify(config));
        try {
            const { stdout } = await stack[command]({
                policyPacks: [pack],
                policyPackConfigs: [file],
                color: "never",
            });
            return { succeeded: true, text: stdout };
        } catch (error) {
            if (!(error instanceof CommandError)) throw error;
            return { succeeded: false, text: error.message };
        }
    };
    return {
        preview: (...args) => run("preview", ...args),
        up: (...args) => run("up", ...args),
        live: async (id) => {
            const cluster = JSON.parse(await readFile(at("cluster.json"), "utf8")) as Json;
            return cluster[id] as Json | undefined;
        },
        close: async () => {
            provider.end();
            await rm(folder, { recursive: true });
        },
    };
}

/**
 * Where the Node language host is not installed, the engine starts a pack by this program on PATH, in the
 * pack's folder, with its own address and `.`: NewPolicyAnalyzer of sdk/go/common/resource/plugin. The
 * language host runs the same module with the same arguments.
 */
async function addAnalyzer(bin: string): Promise<void> {
    const folders = (process.env.PATH ?? "").split(":");
    if (folders.some((one) => existsSync(path.join(one, "pulumi-language-nodejs")))) return;
    const file = path.join(bin, "pulumi-analyzer-policy-nodejs");
    const module = path.join(POLICIES, "../node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${module}' "$@"\n`);
    await chmod(file, 0o755);
}

/** A program of these Deployments, each of one container. */
export function deploymentsOf(
    containers: Readonly<Record<string, Input<kubernetes.types.input.core.v1.Container>>>,
): PulumiFn {
    return () => {
        for (const [name, container] of Object.entries(containers)) {
            const labels = { app: name };
            new kubernetes.apps.v1.Deployment(name, {
                metadata: { name, namespace: "search" },
                spec: {
                    selector: { matchLabels: labels },
                    template: { metadata: { labels }, spec: { containers: [container] } },
                },
            });
        }
        return Promise.resolve();
    };
}
