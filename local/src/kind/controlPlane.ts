import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { PATHS } from "../paths.ts";

/** kubeadm requests 650m of CPU for these, a third of a machine with two cores, where colours then cannot scale. */
const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const REQUESTS = { cpu: "5m" };

const FOLDER = path.join(PATHS.kind, "patches");
const MOUNT = "/kind/patches";

/** Fields of kind's node whose control plane requests as little CPU as that of the single-node cluster. */
export const LEAN_CONTROL_PLANE = {
    extraMounts: [{ hostPath: FOLDER, containerPath: MOUNT, readOnly: true }],
    kubeadmConfigPatches: [stringify({ kind: "InitConfiguration", patches: { directory: MOUNT } })],
} as const;

/** Writes kubeadm's patches where the node finds them. */
export async function writeControlPlanePatches(): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    for (const name of COMPONENTS) {
        const containers = [{ name, resources: { requests: REQUESTS } }];
        await writeFile(path.join(FOLDER, `${name}.yaml`), stringify({ spec: { containers } }));
    }
}
