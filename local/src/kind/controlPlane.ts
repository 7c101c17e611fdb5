import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { PATHS } from "../paths.ts";

/**
 * CPU requests by container. kubeadm requests 850m with two pods of DNS, and on two cores the colours could then not
 * scale. A request is the weight of the container's cgroup too: with 5m, an API server next to a loaded service
 * answered late, and controllers lost their leases.
 */
const CPU_REQUESTS = {
    etcd: "40m",
    "kube-apiserver": "100m",
    "kube-controller-manager": "20m",
    "kube-scheduler": "20m",
    coredns: "20m",
} as const;

const FOLDER = path.join(PATHS.kind, "patches");
const MOUNT = "/kind/patches";

/** Fields of kind's node whose control plane and DNS request less CPU than kubeadm's. */
export const LEAN_CONTROL_PLANE = {
    extraMounts: [{ hostPath: FOLDER, containerPath: MOUNT, readOnly: true }],
    kubeadmConfigPatches: [stringify({ kind: "InitConfiguration", patches: { directory: MOUNT } })],
} as const;

/** Writes kubeadm's patches where the node finds them. */
export async function writeControlPlanePatches(): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    for (const [name, cpu] of Object.entries(CPU_REQUESTS)) {
        const pod = { spec: { containers: [{ name, resources: { requests: { cpu } } }] } };
        // kubeadm names its targets: DNS is a Deployment, the others are pods.
        const [target, patch] =
            name === "coredns" ? ["corednsdeployment", { spec: { template: pod } }] : [name, pod];
        await writeFile(path.join(FOLDER, `${target}.yaml`), stringify(patch));
    }
}
