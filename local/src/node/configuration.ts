import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { PATHS } from "../paths.ts";
import { NETWORK } from "./network.ts";

export const NODE_NAME = "local";
const SOCKET = path.join(PATHS.node, "containerd/containerd.sock");

/** Folders of the local PersistentVolumes, which addons/storage.ts declares. */
export const VOLUMES = Array.from({ length: 24 }, (_, index) =>
    path.join(PATHS.node, "volumes", String(index)),
);

/** Writes every file that the node's services read, but for the certificates. */
export async function writeConfiguration(pauseImage: string): Promise<void> {
    const folders = ["log", "pki", "etcd", "containerd", "cni"].map((name) =>
        path.join(PATHS.node, name),
    );
    for (const folder of [...folders, ...VOLUMES]) await mkdir(folder, { recursive: true });
    const files = {
        "kubeadm.yaml": kubeadm(),
        "kubelet.yaml": stringify(kubelet()),
        "kube-proxy.yaml": stringify(kubeProxy()),
        "cni/10-bridge.conflist": JSON.stringify(cni()),
        "containerd.toml": containerd(pauseImage),
    };
    for (const [name, text] of Object.entries(files)) {
        await writeFile(path.join(PATHS.node, name), text);
    }
}

function kubeadm(): string {
    const init = {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "InitConfiguration",
        localAPIEndpoint: { advertiseAddress: NETWORK.nodeAddress, bindPort: 6443 },
        nodeRegistration: { name: NODE_NAME, criSocket: `unix://${SOCKET}` },
    };
    const cluster = {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        kubernetesVersion: "v1.34.4",
        certificatesDir: path.join(PATHS.node, "pki"),
        controlPlaneEndpoint: `${NETWORK.nodeAddress}:6443`,
        networking: { podSubnet: NETWORK.podCidr, serviceSubnet: NETWORK.serviceCidr },
    };
    return `${stringify(init)}---\n${stringify(cluster)}`;
}

/**
 * Disk thresholds of the kubelet: its images exist in no registry, and this machine's disk is not the node's
 * alone. Neither images nor pods go when the disk looks full, as a quota does; preflight checks it instead.
 */
export const KUBELET_DISK = {
    // 100 ends the collection of images; containerd below 1.7 reports no image as pinned.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
        "memory.available": "200Mi",
        // Pressure on the disk would delete all unused images first, whatever the percentages above.
        "nodefs.available": "0%",
        "nodefs.inodesFree": "0%",
        "imagefs.available": "0%",
        "imagefs.inodesFree": "0%",
    },
} as const;

function kubelet(): object {
    return {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        authentication: {
            x509: { clientCAFile: path.join(PATHS.node, "pki/ca.crt") },
            webhook: { enabled: true },
            anonymous: { enabled: false },
        },
        authorization: { mode: "Webhook" },
        cgroupDriver: "cgroupfs",
        cgroupRoot: `/${NETWORK.namespace}`,
        clusterDNS: [NETWORK.dnsAddress],
        clusterDomain: "cluster.local",
        containerRuntimeEndpoint: `unix://${SOCKET}`,
        podLogsDir: path.join(PATHS.node, "pod-logs"),
        failSwapOn: false,
        address: NETWORK.nodeAddress,
        // Pods' DNS must not follow the host's search domains.
        resolvConf: "",
        serializeImagePulls: false,
        ...KUBELET_DISK,
    };
}

function kubeProxy(): object {
    return {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        mode: "iptables",
        clusterCIDR: NETWORK.podCidr,
        clientConnection: { kubeconfig: path.join(PATHS.node, "super-admin.conf") },
        hostnameOverride: NODE_NAME,
        conntrack: {
            maxPerCore: 0,
            min: 0,
            tcpEstablishedTimeout: "0s",
            tcpCloseWaitTimeout: "0s",
        },
    };
}

function cni(): object {
    return {
        cniVersion: "0.4.0",
        name: "pods",
        plugins: [
            {
                type: "bridge",
                bridge: "pods0",
                isGateway: true,
                ipMasq: false,
                hairpinMode: true,
                ipam: {
                    type: "host-local",
                    dataDir: path.join(PATHS.node, "cni-state"),
                    ranges: [[{ subnet: NETWORK.nodePodCidr }]],
                    routes: [{ dst: "0.0.0.0/0" }],
                },
            },
            { type: "portmap", capabilities: { portMappings: true } },
        ],
    };
}

function containerd(pauseImage: string): string {
    const cri = `plugins."io.containerd.grpc.v1.cri"`;
    return `version = 2
root = "${PATHS.node}/containerd/root"
state = "${PATHS.node}/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "${SOCKET}"

[${cri}]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE every sandbox fails with "can't get final child's PID from pipe".
  restrict_oom_score_adj = true

[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${PATHS.node}/cni"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}
