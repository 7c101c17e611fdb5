import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { PATHS } from "../paths.ts";
import { LocalError, run, tryRun, type Step } from "../shell.ts";
import { LEAN_CONTROL_PLANE, writeControlPlanePatches } from "./controlPlane.ts";
import { clusterNodes, PROVIDER, type Engine } from "./engine.ts";
import { NAME, NODE } from "./names.ts";
import { choosePort, HOST_ADDRESS, requireFreePort } from "./port.ts";

/** Kubeconfig of the kind cluster; the user's own is left alone. */
export const KIND_KUBECONFIG = path.join(PATHS.kind, "kubeconfig");

/** The node image that comes with the kind of local/toolchain/kind: another kind may not know how to start it. */
const NODE_IMAGE =
    "docker.io/kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5";

/** File in the node's folder of kind, when its creation has ended: the image and the port that it was made with. */
const STAMP = "property-search";
const NODE_FOLDER = "/kind";

const READY_SECONDS = 120;
const POLL_MILLISECONDS = 1_000;

export interface Kind {
    readonly engine: Engine;
    /** Path of the program. */
    readonly kind: string;
}

export interface ClusterOptions {
    /** Value of PORT. */
    readonly port: string | undefined;
    /** Value of KIND_NODE_IMAGE, for a machine that takes images from a mirror. */
    readonly image: string | undefined;
    readonly readySeconds?: number;
}

interface Stamp {
    readonly image: string;
    readonly port: number;
}

/**
 * Makes sure that the kind cluster runs: keeps one that is whole, starts one that was stopped, and makes any
 * other again, such as one whose creation was interrupted.
 *
 * @returns the port of this machine at which the cluster's gateway answers
 * @throws LocalError where a whole cluster does not start: it has data, which is not removed unasked
 */
export async function ensureKindCluster(
    step: Step,
    tools: Kind,
    { port: requestedPort, image, readySeconds = READY_SECONDS }: ClusterOptions,
): Promise<number> {
    const nodes = await clusterNodes(tools.engine);
    const present = nodes.length > 0 ? await readStamp(step, tools.engine) : undefined;
    const port = choosePort(requestedPort, present?.port);
    // A newer pin holds from the next cluster on: this one has data.
    const wanted: Stamp = { image: image ?? present?.image ?? NODE_IMAGE, port };
    const target = ["--name", NAME, "--kubeconfig", KIND_KUBECONFIG];
    if (present?.port === wanted.port && present.image === wanted.image) {
        await startNodes(step, tools.engine, readySeconds);
    } else {
        if (nodes.length > 0) {
            step.report("removing the remains of an older cluster");
            await removeNodes(step, tools.engine);
        }
        await requireFreePort(port);
        // What was there belongs to another cluster.
        await rm(PATHS.kind, { recursive: true, force: true });
        await mkdir(PATHS.kind, { recursive: true, mode: 0o700 });
        await writeControlPlanePatches();
        step.report("creating a kind cluster");
        const options = ["--config", "-", "--wait", `${readySeconds}s`];
        await kind(step, tools, ["create", "cluster", ...target, ...options], createConfig(wanted));
        const write = `printf %s '${JSON.stringify(wanted)}' > ${NODE_FOLDER}/${STAMP}`;
        await run(step, tools.engine, ["exec", NODE, "sh", "-c", write]);
    }
    await kind(step, tools, ["export", "kubeconfig", ...target]);
    return port;
}

/** Brings images of the engine into the cluster: those that its node has already are left alone. */
export async function loadImages(
    step: Step,
    tools: Kind,
    images: readonly (readonly string[])[],
): Promise<void> {
    const list = ["exec", NODE, "ctr", "--namespace=k8s.io", "images", "list", "-q"];
    const present = new Set((await run(step, tools.engine, list)).split("\n"));
    const archive = path.join(PATHS.kind, "image.tar");
    for (const references of images) {
        if (references.every((reference) => present.has(reference))) continue;
        step.report(`loading ${references[0] ?? ""}`);
        await saveStamp(step, tools.engine, references, archive);
        await kind(step, tools, ["load", "image-archive", archive, "--name", NAME]);
    }
    await rm(archive, { force: true });
}

/** Removes the cluster, whatever state it is in. */
export async function removeKindCluster(step: Step, engine: Engine): Promise<void> {
    await removeNodes(step, engine);
    await rm(PATHS.kind, { recursive: true, force: true });
}

async function removeNodes(step: Step, engine: Engine): Promise<void> {
    const nodes = await clusterNodes(engine);
    if (nodes.length > 0) await run(step, engine, ["rm", "--force", "--volumes", ...nodes]);
}

/** The archive for kind has one platform: kind rejects an archive that lists others without containing them. */
async function saveStamp(
    step: Step,
    engine: Engine,
    references: readonly string[],
    archive: string,
): Promise<void> {
    await rm(archive, { force: true });
    const [reference = ""] = references;
    const inspect = ["image", "inspect", "--format", "{{.Architecture}}", reference];
    const platform = `linux/${(await run(step, engine, inspect)).trim()}`;
    const output = ["--output", archive, ...references];
    // Engines without the flag hold images of one platform only.
    const saved = await tryRun(engine, ["save", "--platform", platform, ...output]);
    if (saved === undefined) await run(step, engine, ["save", ...output]);
}

/** Starts the node where it does not run, and waits until Kubernetes answers. */
async function startNodes(step: Step, engine: Engine, seconds: number): Promise<void> {
    const inspect = ["inspect", "--format", "{{.State.Status}}", NODE];
    const status = (await run(step, engine, inspect)).trim();
    if (status !== "running") {
        const command = status === "paused" ? "unpause" : "start";
        step.report(`the cluster's node is ${status}: ${command}`);
        await run(step, engine, [command, NODE], {
            doing: `${command} of the cluster's node (make down removes it with its data)`,
        });
    }
    if (await waitUntilReady(step, engine, seconds)) return;
    throw new LocalError(
        `the cluster's node has not become ready within ${seconds} s: run make up again to wait for it, ` +
            "or make down, which removes it with its data",
    );
}

async function waitUntilReady(step: Step, engine: Engine, seconds: number): Promise<boolean> {
    const ready = ["get", "--raw", "/readyz"];
    const kubectl = ["exec", NODE, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", ...ready];
    const deadline = Date.now() + seconds * 1000;
    while ((await tryRun(engine, kubectl)) !== "ok") {
        if (Date.now() > deadline) return false;
        await delay(POLL_MILLISECONDS, undefined, { signal: step.signal });
    }
    return true;
}

/** @returns what the node was made with, whether it runs or not; undefined where its creation did not end */
async function readStamp(step: Step, engine: Engine): Promise<Stamp | undefined> {
    const copy = path.join(PATHS.kind, "node");
    await rm(copy, { recursive: true, force: true });
    await mkdir(copy, { recursive: true });
    // The folder, since a missing file and an engine that does not answer would look the same.
    await run(step, engine, ["cp", `${NODE}:${NODE_FOLDER}/.`, copy], {
        doing: "reading the cluster's configuration (make down removes it with its data)",
    });
    const file = path.join(copy, STAMP);
    const text = existsSync(file) ? await readFile(file, "utf8") : undefined;
    await rm(copy, { recursive: true });
    return text === undefined ? undefined : parseStamp(text);
}

/** An interrupted write leaves a part of it. */
function parseStamp(text: string): Stamp | undefined {
    try {
        return JSON.parse(text) as Stamp;
    } catch {
        return undefined;
    }
}

function kind(step: Step, tools: Kind, args: readonly string[], input?: string): Promise<string> {
    const env = { [PROVIDER]: tools.engine };
    return run(step, tools.kind, args, {
        env,
        doing: `kind ${args.slice(0, 2).join(" ")}`,
        ...(input !== undefined && { input }),
    });
}

/** By a port of the host the gateway is reachable where no container address is routed. */
function createConfig({ image, port }: Stamp): string {
    const mapping = { containerPort: port, hostPort: port, listenAddress: HOST_ADDRESS };
    return stringify({
        kind: "Cluster",
        apiVersion: "kind.x-k8s.io/v1alpha4",
        nodes: [
            {
                role: "control-plane",
                image,
                extraPortMappings: [mapping],
                ...LEAN_CONTROL_PLANE,
            },
        ],
    });
}
