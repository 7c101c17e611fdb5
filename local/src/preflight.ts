import { existsSync } from "node:fs";
import { freemem } from "node:os";
import { readDisk, diskProblems, estimateDiskNeeds, formatGib } from "./disk.ts";
import { LocalError, tryRun } from "./shell.ts";

/** A missing requirement of a single-node cluster, with a hint for fixing it. */
export type Problem = string;

const MIN_MEMORY_GIB = 6;
const MIN_GO_MINOR = 21;
const GIB = 1024 ** 3;

const ALTERNATIVES = [
    "Available without a single-node cluster:",
    "  make dev              the service alone, with the local model",
    "  make up CONTEXT=name  the platform on a cluster of your kubeconfig",
    "  make render           the manifests of a stack",
].join("\n");

/**
 * Checks that this machine can run a node.
 *
 * @param nodeExists a running node already uses its memory
 * @throws LocalError that lists all problems
 */
export async function preflight({ nodeExists }: { nodeExists: boolean }): Promise<void> {
    const findings = [
        ...platformProblems(process.platform, process.getuid?.()),
        ...(await toolProblems(Object.keys(TOOLS) as Tool[])),
        ...(nodeExists ? [] : memoryProblems(freemem())),
        ...diskProblems(await estimateDiskNeeds(), readDisk),
        ...kernelProblems(existsSync),
    ];
    if (findings.length === 0) return;
    throw new LocalError(
        `this machine cannot run a Kubernetes node:\n${formatList(findings)}\n${ALTERNATIVES}`,
    );
}

/** @throws LocalError that lists all missing tools */
export async function requireTools(tools: readonly Tool[]): Promise<void> {
    const findings = await toolProblems(tools);
    if (findings.length > 0)
        throw new LocalError(`this machine lacks tools:\n${formatList(findings)}`);
}

export function platformProblems(platform: string, uid: number | undefined): Problem[] {
    if (platform !== "linux") return [`it runs ${platform}; a node needs Linux`];
    return uid === 0 ? [] : ["a node needs root: sudo make up"];
}

/** @param memory bytes available without swapping */
export function memoryProblems(memory: number): Problem[] {
    return memory < MIN_MEMORY_GIB * GIB
        ? [`${formatGib(memory)} of memory are free; ${MIN_MEMORY_GIB} GiB are needed`]
        : [];
}

/** Checks features of the running kernel, which cannot be loaded later. */
export function kernelProblems(exists: (path: string) => boolean): Problem[] {
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

/** Arguments for checking whether a tool is installed, and its purpose. */
const TOOLS = {
    go: [["version"], "Go 1.21 or newer, which builds Kubernetes and Pulumi"],
    python3: [["-m", "pip", "--version"], "Python 3 with pip, which installs Traefik"],
    "apt-get": [["--version"], "Debian's apt-get, which installs containerd and buildah"],
    mvn: [["--version"], "Maven with a JDK, which downloads the model"],
} as const;

type Tool = keyof typeof TOOLS;

async function toolProblems(tools: readonly Tool[]): Promise<Problem[]> {
    const checked = await Promise.all(
        tools.map(async (tool) => {
            const [args, purpose] = TOOLS[tool];
            const answer = await tryRun(tool, args);
            if (answer === undefined) return [`${tool} is missing: install ${purpose}`];
            return tool === "go" ? goProblems(answer) : [];
        }),
    );
    return checked.flat();
}

/** @param answer output of `go version` */
export function goProblems(answer: string): Problem[] {
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(answer) ?? [];
    const isOld = Number(major) < 1 || (Number(major) === 1 && Number(minor) < MIN_GO_MINOR);
    // Since 1.21, Go automatically downloads a newer compiler if a module requires one.
    return isOld ? [`${answer.trim()} is too old: install Go 1.21 or newer`] : [];
}

function formatList(findings: readonly Problem[]): string {
    return findings.map((finding) => `  - ${finding}`).join("\n");
}
