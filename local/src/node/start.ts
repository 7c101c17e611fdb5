import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { digest, digestFiles } from "../content.ts";
import { withoutMark } from "../orphans.ts";
import { PATHS, REPOSITORY } from "../paths.ts";
import { LocalError, run, tryRun, type Step } from "../shell.ts";
import { makeCgroups } from "./cgroups.ts";
import { NODE_NAME, writeConfiguration } from "./configuration.ts";
import { isEnforcingPolicies, FIREWALL, HEALTH_PORT, installFirewallTools } from "./firewall.ts";
import { NETWORK } from "./network.ts";
import { removeNode } from "./remove.ts";

/** Folders with the binaries that the node runs. */
export interface NodeTools {
    readonly kubernetes: string;
    readonly etcd: string;
    readonly kubeRouter: string;
}

/** Kubeconfig of the node's administrator. */
export const KUBECONFIG = path.join(PATHS.node, "admin.conf");

const INIT = path.join(REPOSITORY, "local/node/init.sh");
const STAMP = path.join(PATHS.node, "stamp");
const READY_SECONDS = 60;
/** Allows for a restarting component or a busy machine, since a recreated node loses its data. */
const RETRY_SECONDS = 10;

/**
 * Makes sure that the node runs and is Ready: keeps one that was made of the same parts and is healthy,
 * and recreates any other, whatever state an interruption left it in.
 *
 * @returns whether the node was recreated
 */
export async function ensureNode(
    step: Step,
    tools: NodeTools,
    pauseImage: string,
): Promise<boolean> {
    const stamp = digest(
        await digestFiles([INIT, path.join(REPOSITORY, "local/src/node")]),
        // Named by the hash of their binaries: a rebuild that changes none keeps the node.
        path.basename(tools.kubernetes),
        path.basename(tools.etcd),
        path.basename(tools.kubeRouter),
        pauseImage,
    );
    const made = await readFile(STAMP, "utf8").catch(() => "");
    const isUsable = async () => (await waitForMissing(step, tools, RETRY_SECONDS)) === undefined;
    if (made === stamp && (await isUsable())) return false;

    step.report("removing the remains of an older node");
    await removeNode();
    await rm(PATHS.node, { recursive: true, force: true });
    await assertAddressesFree();
    await mkdir(PATHS.node, { recursive: true, mode: 0o700 });
    await writeConfiguration(pauseImage);

    step.report("creating certificates");
    const kubeadm = path.join(tools.kubernetes, "kubeadm");
    const config = ["--config", path.join(PATHS.node, "kubeadm.yaml")];
    await run(step, kubeadm, ["init", "phase", "certs", "all", ...config]);
    const folder = ["--kubeconfig-dir", PATHS.node];
    await run(step, kubeadm, ["init", "phase", "kubeconfig", "all", ...config, ...folder]);

    step.report("starting");
    await installFirewallTools();
    await startNode(step, tools);
    await waitReady(step, tools);
    await writeFile(STAMP, stamp);
    return true;
}

/**
 * Ends the node as a loss of power does, and starts it again with its data.
 *
 * @throws LocalError if there is no complete node, or it is not Ready within a minute
 */
export async function restartNode(step: Step, tools: NodeTools): Promise<void> {
    if (!existsSync(STAMP)) throw new LocalError("there is no node to restart; run make up first");
    step.report("ending the node's processes");
    await removeNode();
    // As /run after a start: the kubelet ends where it finds the old socket before the new one.
    for (const name of ["containerd.sock", "state"]) {
        await rm(path.join(PATHS.node, "containerd", name), { recursive: true, force: true });
    }
    step.report("starting the node");
    await startNode(step, tools);
    requireUsable(await waitForMissing(step, tools, READY_SECONDS));
}

async function startNode(step: Step, tools: NodeTools): Promise<void> {
    await makeNetwork(step);
    makeCgroups(NETWORK.namespace);
    startInit(tools);
}

/** The node's addresses must be unused on this host. */
async function assertAddressesFree(): Promise<void> {
    const routes = (await tryRun("ip", ["-4", "route", "show"])) ?? "";
    const taken = [NETWORK.podCidr, NETWORK.serviceCidr, `${NETWORK.hostAddress}/24`]
        .map((range) => range.split(".").slice(0, 2).join("."))
        .find((prefix) => routes.split("\n").some((route) => route.startsWith(`${prefix}.`)));
    if (taken !== undefined) {
        throw new LocalError(
            `this host already routes ${taken}.0.0/16, which the node needs; ` +
                "change the ranges in local/src/node/network.ts, or remove that route",
        );
    }
}

async function makeNetwork(step: Step): Promise<void> {
    const { namespace, hostLink, nodeLink, hostAddress, nodeAddress, prefixLength } = NETWORK;
    const ip = (...args: string[]) => run(step, "ip", args);
    // "ip netns exec" would mount another /sys and hide the cgroups from the kubelet.
    const runInNode = (...args: string[]) =>
        run(step, "nsenter", [`--net=/run/netns/${namespace}`, ...args]);
    await ip("netns", "add", namespace);
    await ip("link", "add", hostLink, "type", "veth", "peer", "name", nodeLink, "netns", namespace);
    await ip("addr", "add", `${hostAddress}/${prefixLength}`, "dev", hostLink);
    await ip("link", "set", hostLink, "up");
    await runInNode("ip", "link", "set", "lo", "up");
    await runInNode("ip", "addr", "add", `${nodeAddress}/${prefixLength}`, "dev", nodeLink);
    await runInNode("ip", "link", "set", nodeLink, "up");
    // Service addresses exist only as translation rules. This route keeps a packet that no rule has caught
    // yet inside of the node; there is no default route, so nothing can leave it.
    await runInNode("ip", "link", "add", "service-sink", "type", "bridge");
    await runInNode("ip", "link", "set", "service-sink", "up");
    const sink = ["dev", "service-sink", "src", nodeAddress];
    await runInNode("ip", "route", "add", NETWORK.serviceCidr, ...sink);
    await runInNode("sysctl", "-qw", "net.ipv4.ip_forward=1");
}

function startInit(tools: NodeTools): void {
    const log = openSync(path.join(PATHS.node, "log/node.log"), "a");
    const init = [
        `--net=/run/netns/${NETWORK.namespace}`,
        ...["unshare", "--mount", "--propagation", "private", "--pid", "--fork"],
        ...["--kill-child", "bash", INIT],
    ];
    // In a session of its own: it outlives this process, and no Ctrl-C reaches it.
    const child = spawn("nsenter", init, {
        detached: true,
        stdio: ["ignore", log, log],
        env: {
            ...withoutMark(),
            BIN: tools.kubernetes,
            ETCD: tools.etcd,
            KUBE_ROUTER: tools.kubeRouter,
            FIREWALL,
            HEALTH_PORT: String(HEALTH_PORT),
            DATA: PATHS.node,
            NODE_ADDRESS: NETWORK.nodeAddress,
            POD_CIDR: NETWORK.podCidr,
            SERVICE_CIDR: NETWORK.serviceCidr,
        },
    });
    child.unref();
}

async function waitReady(step: Step, tools: NodeTools): Promise<void> {
    requireUsable(await waitForMissing(step, tools, READY_SECONDS));
    // kubeadm makes this binding in a later phase; without it admin.conf has no rights.
    const kubectl = path.join(tools.kubernetes, "kubectl");
    const create = ["create", "clusterrolebinding", "kubeadm:cluster-admins"];
    const grant = ["--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"];
    await run(step, kubectl, [...SUPER, ...create, ...grant]);
}

function requireUsable(missing: string | undefined): void {
    if (missing === undefined) return;
    throw new LocalError(
        `the node ${missing} after ${READY_SECONDS} s; its logs: ${PATHS.node}/log`,
    );
}

const SUPER = ["--kubeconfig", path.join(PATHS.node, "super-admin.conf")];

/** @returns what the node still is not after some seconds; undefined: it can be used */
async function waitForMissing(
    step: Step,
    tools: NodeTools,
    seconds: number,
): Promise<string | undefined> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        const missing = await listMissing(tools);
        if (missing === undefined || Date.now() > deadline) return missing;
        step.signal.throwIfAborted();
        await delay(150);
    }
}

/** @returns what the node is not yet; undefined: it can be used */
async function listMissing(tools: NodeTools): Promise<string | undefined> {
    if (!(await isReady(tools))) return "was not Ready";
    return (await isEnforcingPolicies()) ? undefined : "did not enforce network policies";
}

async function isReady(tools: NodeTools): Promise<boolean> {
    const ready = '{.status.conditions[?(@.type=="Ready")].status}';
    const query = ["get", "node", NODE_NAME, "-o", `jsonpath=${ready}`, "--request-timeout=2s"];
    return (await tryRun(path.join(tools.kubernetes, "kubectl"), [...SUPER, ...query])) === "True";
}
