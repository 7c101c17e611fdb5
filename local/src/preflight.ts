import { existsSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import { CACHE } from "./paths.ts";
import { LocalError, tryRun } from "./shell.ts";

/** What a machine lacks for a node of its own: each a sentence with how to get it. */
export type Finding = string;

const MIN_MEMORY_GIB = 6;
const MIN_DISK_GIB = 10;
const GIB = 1024 ** 3;

const STILL_WORKS = [
    "What still works without a node of your own:",
    "  make dev              the service alone, with the local model",
    "  make up CONTEXT=name  the platform on a cluster that your kubeconfig knows",
    "  make render           the manifests of a stack",
].join("\n");

/** Checks that this machine can run a node. @throws LocalError with all findings at once. */
export async function preflight(): Promise<void> {
    const findings = [
        ...platformFindings(process.platform, process.getuid?.()),
        ...(await toolFindings()),
        ...resourceFindings(freemem(), diskFree()),
        ...kernelFindings(existsSync),
    ];
    if (findings.length === 0) return;
    throw new LocalError(
        `this machine cannot run a Kubernetes node:\n` +
            `${findings.map((finding) => `  - ${finding}`).join("\n")}\n${STILL_WORKS}`,
    );
}

export function platformFindings(platform: string, uid: number | undefined): Finding[] {
    if (platform !== "linux") return [`it runs ${platform}; a node needs Linux`];
    return uid === 0 ? [] : ["a node needs root: sudo make up"];
}

export function resourceFindings(memory: number, disk: number): Finding[] {
    return [
        ...(memory < MIN_MEMORY_GIB * GIB
            ? [`${gib(memory)} of memory are free; ${MIN_MEMORY_GIB} GiB are needed`]
            : []),
        ...(disk < MIN_DISK_GIB * GIB
            ? [`${gib(disk)} of disk are free for ${CACHE}; ${MIN_DISK_GIB} GiB are needed`]
            : []),
    ];
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

async function toolFindings(): Promise<Finding[]> {
    const tools = [
        ["go", ["version"], "Go 1.24 or newer, which builds Kubernetes"],
        ["python3", ["-m", "pip", "--version"], "Python 3 with pip, which brings Traefik"],
        ["apt-get", ["--version"], "Debian's apt-get, which brings containerd and buildah"],
        ["mvn", ["--version"], "Maven with a JDK, which brings the model"],
    ] as const;
    const checked = await Promise.all(
        tools.map(async ([command, args, purpose]) =>
            (await tryRun(command, args)) === undefined
                ? [`${command} is missing: install ${purpose}`]
                : [],
        ),
    );
    return checked.flat();
}

function diskFree(): number {
    let folder = CACHE;
    while (!existsSync(folder)) folder = folder.slice(0, folder.lastIndexOf("/")) || "/";
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
}

function gib(bytes: number): string {
    return `${(bytes / GIB).toFixed(1)} GiB`;
}
