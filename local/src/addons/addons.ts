import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import type { Image } from "../images/images.ts";
import { NODE_NAME, VOLUMES } from "../node/configuration.ts";
import { NETWORK } from "../node/network.ts";
import { KUBECONFIG } from "../node/start.ts";
import { REPOSITORY } from "../paths.ts";
import { run, type Step } from "../shell.ts";

export interface AddonInputs {
    /** Folder with kubectl. */
    readonly kubernetes: string;
    readonly images: readonly Image[];
}

/** What a cluster must have before the stack can come: names, volumes, Gateway API and a gateway. */
export async function applyServingAddons(
    step: Step,
    inputs: AddonInputs,
    gatewayApi: string,
): Promise<void> {
    step.say("Gateway API");
    const definitions = path.join(gatewayApi, "config/crd/standard");
    const files = (await readdir(definitions)).filter((file) => file.endsWith(".yaml"));
    const texts = files.map((file) => readFile(path.join(definitions, file), "utf8"));
    await apply(step, inputs, (await Promise.all(texts)).join("\n---\n"));
    step.say("DNS, volumes, gateway");
    const addons = await Promise.all(["coredns", "traefik"].map((name) => addon(name, inputs)));
    await apply(step, inputs, [storage(), ...addons].join("\n---\n"));
    await rolledOut(step, inputs, "kube-system", "coredns");
    await rolledOut(step, inputs, "traefik-system", "traefik");
}

/** What the cluster needs beyond serving: figures for the autoscaler. */
export async function applyMetricsServer(step: Step, inputs: AddonInputs): Promise<void> {
    await apply(step, inputs, await addon("metrics-server", inputs));
    await rolledOut(step, inputs, "kube-system", "metrics-server");
}

/** Runs the cluster's own kubectl. */
export function kubectl(
    step: Step,
    { kubernetes }: AddonInputs,
    args: readonly string[],
    input?: string,
): Promise<string> {
    const command = path.join(kubernetes, "kubectl");
    const target = ["--kubeconfig", KUBECONFIG, ...args];
    return run(step, command, target, input === undefined ? {} : { input });
}

async function apply(step: Step, inputs: AddonInputs, manifests: string): Promise<void> {
    const flags = ["--server-side", "--force-conflicts", "--field-manager=property-search-local"];
    await kubectl(step, inputs, ["apply", ...flags, "-f", "-"], manifests);
}

async function rolledOut(
    step: Step,
    inputs: AddonInputs,
    namespace: string,
    name: string,
): Promise<void> {
    step.say(`waiting for ${name}`);
    const target = ["-n", namespace, `deployment/${name}`, "--timeout=120s"];
    await kubectl(step, inputs, ["rollout", "status", ...target]);
}

async function addon(name: string, { images }: AddonInputs): Promise<string> {
    const file = path.join(REPOSITORY, "local/addons", `${name}.yaml`);
    const values: Record<string, string> = {
        DNS_ADDRESS: NETWORK.dnsAddress,
        NODE_ADDRESS: NETWORK.nodeAddress,
        ...Object.fromEntries(
            images.map((image) => [`IMAGE_${image.name}`, image.references[0] ?? ""]),
        ),
    };
    return (await readFile(file, "utf8")).replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => {
        const value = values[key];
        if (value === undefined) throw new Error(`${file} wants \${${key}}, which nobody sets`);
        return value;
    });
}

/** Volumes of the class `local`: folders on the node, which the kubelet gives to a pod's group. */
function storage(): string {
    const volumeClass = {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "local" },
        provisioner: "kubernetes.io/no-provisioner",
        volumeBindingMode: "WaitForFirstConsumer",
    };
    const volumes = VOLUMES.map((folder, index) => ({
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: `local-${index}` },
        spec: {
            storageClassName: "local",
            capacity: { storage: "10Gi" },
            accessModes: ["ReadWriteOnce"],
            persistentVolumeReclaimPolicy: "Retain",
            local: { path: folder },
            nodeAffinity: {
                required: {
                    nodeSelectorTerms: [
                        {
                            matchExpressions: [
                                {
                                    key: "kubernetes.io/hostname",
                                    operator: "In",
                                    values: [NODE_NAME],
                                },
                            ],
                        },
                    ],
                },
            },
        },
    }));
    return [volumeClass, ...volumes].map((object) => stringify(object)).join("---\n");
}
