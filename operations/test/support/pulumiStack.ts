import {
    GENERATED_SECRETS,
    NAMESPACES,
    perColour,
    ROUTE_NAME,
    SERVICE_NAMES,
    type Weights,
} from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import { PROJECT } from "../../deploy/pulumi/workspace.ts";
import { routeWeights, withWeights } from "../../shared/route.ts";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { EdgeGateway } from "../../../components/edge.ts";
import { startKubernetesProvider } from "../../../tests/support/pulumi/provider.ts";
import { pulumiTraffic, type PulumiTraffic } from "../../release/traffic/pulumi.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const STACK = "dev";
/** The stack's own config file, which stays unchanged while a copy is used. */
const TRACKED = "# Of the checkout.\nconfig: {}\n";

/** A stack with the edge of the platform, on a file backend, in a cluster that is a file. */
export interface TestStack {
    readonly stack: Stack;
    /** This machine's copy of the stack's config. */
    readonly configFile: string;
    /** Whether the stack's own config file is unchanged. */
    readonly checkoutIsClean: () => Promise<boolean>;
    readonly backendFolder: string;
    /** Weights of the cluster. */
    readonly live: () => Promise<Weights>;
    /** Sets the cluster's weights without Pulumi. */
    readonly move: (weights: Weights) => Promise<void>;
    /** A separate driver, as in another terminal of this machine. */
    readonly traffic: (patience?: number) => PulumiTraffic;
    /** Reported lines of all drivers. */
    readonly reports: string[];
    /** Lets updates change the cluster without ending. */
    readonly hold: () => Promise<void>;
    readonly letGo: () => Promise<void>;
    /** Waits for the CLI process that holds the stack's lock. */
    readonly updater: () => Promise<number>;
    /** Folder with the stack's locks. */
    readonly locks: string;
    readonly close: () => Promise<void>;
}

export async function openStack(weights: Weights): Promise<TestStack> {
    const folder = await mkdtemp(path.join(tmpdir(), "pulumi-"));
    const at = (name: string) => path.join(folder, name);
    await Promise.all(["program", "backend", "home"].map((name) => mkdir(at(name))));
    const workDir = at("program");
    const tracked = path.join(workDir, `Pulumi.${STACK}.yaml`);
    const configFile = at(`Pulumi.${STACK}.yaml`);
    await copyFile(path.join(ROOT, "Pulumi.yaml"), path.join(workDir, "Pulumi.yaml"));
    // Required but not run: the program is inline.
    await writeFile(path.join(workDir, "index.ts"), "");
    const line = `    ${PROJECT}:traffic.weights: { blue: ${weights.blue}, green: ${weights.green} }`;
    await writeFile(configFile, `# Of the tests.\nconfig:\n${line}\n`);
    const provider = await startKubernetesProvider(folder);

    const backendFolder = at("backend");
    const envVars = {
        PULUMI_BACKEND_URL: `file://${backendFolder}`,
        PULUMI_CONFIG_PASSPHRASE: "of the tests",
        ...provider.settings,
        PULUMI_HOME: at("home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: STACK, projectName: PROJECT, program },
        { workDir, envVars },
    );
    // Creating the stack writes a salt there, which belongs to the copy.
    await writeFile(tracked, TRACKED);
    for (const key of GENERATED_SECRETS) {
        const onCopy = ["--secret", "--stack", STACK, "--config-file", configFile];
        const words = ["config", "set", `${PROJECT}:${key}`, "secret", ...onCopy];
        await promisify(execFile)("pulumi", words, {
            cwd: workDir,
            env: { ...process.env, ...envVars },
        });
    }
    await stack.up({ message: "first deploy", configFile, showSecrets: false });

    const reports: string[] = [];
    const locks = path.join(backendFolder, ".pulumi/locks/organization", PROJECT, STACK);
    const cluster = at("cluster.json");
    const route = `HTTPRoute/${NAMESPACES.edge}/${ROUTE_NAME}`;
    const objects = async () =>
        JSON.parse(await readFile(cluster, "utf8")) as Record<string, Manifest>;
    const routeIn = (all: Readonly<Record<string, Manifest>>) => {
        const found = all[route];
        if (found) return found;
        throw new Error(`there is no ${route}`);
    };
    return {
        stack,
        configFile,
        checkoutIsClean: async () => (await readFile(tracked, "utf8")) === TRACKED,
        backendFolder,
        live: async () => routeWeights(routeIn(await objects())),
        move: async (moved) => {
            const all = await objects();
            const changed = { ...all, [route]: withWeights(routeIn(all), moved) };
            await writeFile(cluster, JSON.stringify(changed));
        },
        traffic: (patience = 60) =>
            pulumiTraffic({
                stack,
                configFile,
                backendFolder,
                lockTimeoutSeconds: patience,
                report: (text) => reports.push(text),
            }),
        reports,
        hold: () => writeFile(at("hold"), ""),
        letGo: () => rm(at("hold"), { force: true }),
        updater: async () => {
            for (;;) {
                const [name] = await readdir(locks).catch(() => []);
                const text =
                    name && (await readFile(path.join(locks, name), "utf8").catch(() => ""));
                if (text) return (JSON.parse(text) as { pid: number }).pid;
                await delay(50);
            }
        },
        locks,
        close: async () => {
            provider.end();
            await rm(folder, { recursive: true });
        },
    };
}

/** The edge of the platform, as index.ts declares it, with weights from config. */
function program(): Promise<void> {
    const config = new pulumi.Config(PROJECT);
    const weights = config.requireObject<Weights>("traffic.weights");
    const port = config.get("edge.httpPort");
    const httpPort = port ? Number(port) : 80;
    new EdgeGateway("edge", {
        namespace: NAMESPACES.edge,
        gatewayClassName: "some-class",
        httpPort,
        httpsPort: 443,
        weights,
        backends: perColour((colour) => ({
            namespace: NAMESPACES[colour],
            serviceName: SERVICE_NAMES[colour],
        })),
    });
    return Promise.resolve();
}
