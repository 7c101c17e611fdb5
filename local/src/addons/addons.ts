import { NAMESPACES } from "@property-search/contract";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { ImageReferences } from "../images/images.ts";
import { NETWORK } from "../node/network.ts";
import { REPOSITORY } from "../paths.ts";
import { run, type Step } from "../shell.ts";
import { moduleFolder } from "../toolchain/go.ts";
import { emptyFolders, listReclaimable } from "./reclaim.ts";

export interface AddonInputs {
    /** kubectl: a path, or its name on PATH. */
    readonly kubectl: string;
    readonly kubeconfig: string;
    /** Where clients of this machine reach the gateway. */
    readonly gateway: { readonly address: string; readonly port: number };
    readonly images: readonly ImageReferences[];
}

/** What differs between clusters. */
export interface ServingAddons {
    /** Deployments besides the gateway, each with a file of its name, in kube-system. */
    readonly system: readonly string[];
    /** Manifests of the StorageClass `local`. */
    readonly storage: string;
}

const TRAEFIK_MODULE = "github.com/traefik/traefik/v3";

/** All of them: its provider waits for each kind that it knows. */
const TRAEFIK_DEFINITIONS =
    "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml";

/** What a cluster must have before the stack can come: names, volumes, Gateway API and a gateway. */
export async function applyServingAddons(
    step: Step,
    inputs: AddonInputs,
    { system, storage }: ServingAddons,
): Promise<void> {
    const gatewayApi = await moduleFolder(step, "gateway-api", "sigs.k8s.io/gateway-api");
    step.report("Gateway API");
    const definitions = path.join(gatewayApi, "config/crd/standard");
    const files = (await readdir(definitions)).filter((file) => file.endsWith(".yaml"));
    const texts = files.map((file) => readFile(path.join(definitions, file), "utf8"));
    await apply(step, inputs, (await Promise.all(texts)).join("\n---\n"));
    step.report("Traefik CRDs");
    const traefik = await moduleFolder(step, "traefik", TRAEFIK_MODULE);
    await apply(step, inputs, await readFile(path.join(traefik, TRAEFIK_DEFINITIONS), "utf8"));
    step.report("DNS, volumes, gateway");
    const addons = await Promise.all(
        [...system, "traefik"].map((name) => renderAddon(name, inputs)),
    );
    await reclaimVolumes(step, inputs);
    await apply(step, inputs, [storage, ...addons].join("\n---\n"));
    for (const name of system) await waitForRollout(step, inputs, "kube-system", name);
    await waitForRollout(step, inputs, "traefik-system", "traefik");
}

/** Deletes volumes that have lost their claim; the apply that follows brings them back, empty. */
async function reclaimVolumes(step: Step, inputs: AddonInputs): Promise<void> {
    const volumes = listReclaimable(
        await kubectl(step, inputs, ["get", "persistentvolumes", "-o", "json"]),
    );
    if (volumes.length === 0) return;
    const names = volumes.map(({ name }) => name);
    await kubectl(step, inputs, ["delete", "persistentvolumes", ...names]);
    await emptyFolders(volumes);
}

/** Figures for the autoscaler, which come some seconds after this. */
export async function applyMetricsServer(step: Step, inputs: AddonInputs): Promise<void> {
    step.report("metrics-server");
    await apply(step, inputs, await renderAddon("metrics-server", inputs));
}

/** Waits until figures come. */
export async function waitForMetricsServer(step: Step, inputs: AddonInputs): Promise<void> {
    await waitForRollout(step, inputs, "kube-system", "metrics-server");
    await waitForApi(step, inputs, "v1beta1.metrics.k8s.io");
}

/** Runs the cluster's own kubectl. */
export function kubectl(
    step: Step,
    { kubectl: command, kubeconfig }: AddonInputs,
    args: readonly string[],
    input?: string,
): Promise<string> {
    const target = ["--kubeconfig", kubeconfig, ...args];
    return run(step, command, target, input === undefined ? {} : { input });
}

/** Applies manifests, including fields that another manager has set. */
export async function apply(step: Step, inputs: AddonInputs, manifests: string): Promise<void> {
    const flags = ["--server-side", "--force-conflicts", "--field-manager=property-search-local"];
    await kubectl(step, inputs, ["apply", ...flags, "-f", "-"], manifests);
}

export async function waitForRollout(
    step: Step,
    inputs: AddonInputs,
    namespace: string,
    name: string,
): Promise<void> {
    step.report(`waiting for ${name}`);
    const target = ["-n", namespace, `deployment/${name}`, "--timeout=120s"];
    await kubectl(step, inputs, ["rollout", "status", ...target]);
}

/** Waits until the API server reaches an API that an addon serves. The addon's pod is ready in any case. */
export async function waitForApi(step: Step, inputs: AddonInputs, api: string): Promise<void> {
    step.report(`waiting for ${api}`);
    const target = ["--for=condition=Available", `apiservice/${api}`, "--timeout=120s"];
    await kubectl(step, inputs, ["wait", ...target]);
}

/** Reference of an image that an addon runs. */
export function findImage({ images }: AddonInputs, name: string): string {
    const [reference] = images.find((image) => image.name === name)?.references ?? [];
    if (reference === undefined)
        throw new Error(`an addon needs the image ${name}, which does not exist`);
    return reference;
}

/**
 * A file of local/addons, with its placeholders filled.
 *
 * @param more values besides those of every addon.
 */
export async function renderAddon(
    name: string,
    { images, gateway }: AddonInputs,
    more: Readonly<Record<string, string>> = {},
): Promise<string> {
    const file = path.join(REPOSITORY, "local/addons", `${name}.yaml`);
    const values: Record<string, string> = {
        DNS_ADDRESS: NETWORK.dnsAddress,
        EDGE_NAMESPACE: NAMESPACES.edge,
        GATEWAY_ADDRESS: gateway.address,
        GATEWAY_PORT: `${gateway.port}`,
        ...Object.fromEntries(
            images.map((image) => [`IMAGE_${image.name}`, image.references[0] ?? ""]),
        ),
        ...more,
    };
    return (await readFile(file, "utf8")).replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => {
        const value = values[key];
        if (value === undefined) throw new Error(`${file} needs \${${key}}, which is not set`);
        return value;
    });
}
