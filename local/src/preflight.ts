import { existsSync } from "node:fs";
import { freemem } from "node:os";
import { diskAt, diskFindings, diskNeeds, gib } from "./disk.ts";
import { LocalError, tryRun } from "./shell.ts";

/** What a machine lacks for a node of its own: each a sentence with how to get it. */
export type Finding = string;

const MIN_MEMORY_GIB = 6;
const MIN_GO_MINOR = 21;
const GIB = 1024 ** 3;

const STILL_WORKS = [
    "What still works without a node of your own:",
    "  make dev              the service alone, with the local model",
    "  make up CONTEXT=name  the platform on a cluster that your kubeconfig knows",
    "  make render           the manifests of a stack",
].join("\n");

/**
 * Checks that this machine can run a node.
 *
 * @param nodeIsHere a node that runs has its memory already.
 * @throws LocalError with all findings at once.
 */
export async function preflight({ nodeIsHere }: { nodeIsHere: boolean }): Promise<void> {
    const findings = [
        ...platformFindings(process.platform, process.getuid?.()),
        ...(await toolFindings(Object.keys(TOOLS) as Tool[])),
        ...(nodeIsHere ? [] : memoryFindings(freemem())),
        ...diskFindings(await diskNeeds(), diskAt),
        ...kernelFindings(existsSync),
    ];
    if (findings.length === 0) return;
    throw new LocalError(
        `this machine cannot run a Kubernetes node:\n${listed(findings)}\n${STILL_WORKS}`,
    );
}

/** @throws LocalError with all tools that are missing. */
export async function requireTools(tools: readonly Tool[]): Promise<void> {
    const findings = await toolFindings(tools);
    if (findings.length > 0) throw new LocalError(`this machine lacks tools:\n${listed(findings)}`);
}

export function platformFindings(platform: string, uid: number | undefined): Finding[] {
    if (platform !== "linux") return [`it runs ${platform}; a node needs Linux`];
    return uid === 0 ? [] : ["a node needs root: sudo make up"];
}

/** @param memory bytes that can be had without swapping. */
export function memoryFindings(memory: number): Finding[] {
    return memory < MIN_MEMORY_GIB * GIB
        ? [`${gib(memory)} of memory are free; ${MIN_MEMORY_GIB} GiB are needed`]
        : [];
}

/** Features that cannot be loaded later: the node only uses what the running kernel has. */
export function kernelFindings(exists: (path: string) => boolean): Finding[] {
    const needed = {
        "/sys/fs/cgroup": "cgroups: mount them at /sys/fs/cgroup",
        "/proc/self/ns/net": "network namespaces (CONFIG_NET_NS)",
        "/proc/self/ns/pid": "pid namespaces (CONFIG_PID_NS)",
        "/proc/sys/net/ipv4/ip_forward": "IPv4 forwarding (CONFIG_INET)",
    };
    return Object.entries(needed)
        .filter(([path]) => !exists(path))
        .map(([, feature]) => `the kernel lacks ${feature}`);
}

/** How a tool is asked whether it is here, and what it is for. */
const TOOLS = {
    go: [["version"], "Go 1.21 or newer, which builds Kubernetes and Pulumi"],
    python3: [["-m", "pip", "--version"], "Python 3 with pip, which brings Traefik"],
    "apt-get": [["--version"], "Debian's apt-get, which brings containerd and buildah"],
    mvn: [["--version"], "Maven with a JDK, which brings the model"],
} as const;

type Tool = keyof typeof TOOLS;

async function toolFindings(tools: readonly Tool[]): Promise<Finding[]> {
    const checked = await Promise.all(
        tools.map(async (tool) => {
            const [args, purpose] = TOOLS[tool];
            const answer = await tryRun(tool, args);
            if (answer === undefined) return [`${tool} is missing: install ${purpose}`];
            return tool === "go" ? goFindings(answer) : [];
        }),
    );
    return checked.flat();
}

/** @param answer what `go version` says. */
export function goFindings(answer: string): Finding[] {
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(answer) ?? [];
    const isOld = Number(major) < 1 || (Number(major) === 1 && Number(minor) < MIN_GO_MINOR);
    // Since 1.21, Go fetches the newer compiler that a module asks for by itself.
    return isOld ? [`${answer.trim()} is too old: install Go 1.21 or newer`] : [];
}

function listed(findings: readonly Finding[]): string {
    return findings.map((finding) => `  - ${finding}`).join("\n");
}
