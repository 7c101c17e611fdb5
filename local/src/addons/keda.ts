import path from "node:path";
import { parse, stringify } from "yaml";
import type { Step } from "../shell.ts";
import { moduleFolder } from "../toolchain/go.ts";
import { KEDA_MODULE } from "../toolchain/keda.ts";
import {
    apply,
    findImage,
    kubectl,
    waitForApi,
    waitForRollout,
    type AddonInputs,
} from "./addons.ts";

const NAMESPACE = "keda";

/** Names of the images, by the Deployment whose only container runs one. */
const IMAGES: Readonly<Record<string, string>> = {
    "keda-operator": "keda",
    "keda-metrics-apiserver": "keda-adapter",
};

/** What each of its pods is promised, and may use, on a machine with two cores for everything. */
const RESOURCES = {
    requests: { cpu: "20m", memory: "64Mi" },
    limits: { memory: "256Mi" },
};

/**
 * KEDA, which scales on what Prometheus knows: its module's own manifests, without its webhooks. It works
 * some seconds after this.
 */
export async function applyKeda(step: Step, inputs: AddonInputs): Promise<void> {
    const module = await moduleFolder(step, "cluster", KEDA_MODULE);
    step.report("KEDA");
    const minimal = path.join(module, "config/minimal");
    const manifests = await kubectl(step, inputs, ["kustomize", minimal]);
    await apply(
        step,
        inputs,
        kedaManifests(manifests, (name) => findImage(inputs, name)),
    );
}

/** Waits until KEDA works. */
export async function waitForKeda(step: Step, inputs: AddonInputs): Promise<void> {
    for (const name of Object.keys(IMAGES)) await waitForRollout(step, inputs, NAMESPACE, name);
    await waitForApi(step, inputs, "v1beta1.external.metrics.k8s.io");
}

interface Deployment {
    metadata: { name: string };
    spec: {
        template: {
            spec: {
                containers: { image: string; imagePullPolicy?: string; resources?: object }[];
            };
        };
    };
}

/**
 * Gives KEDA's Deployments other images, and requests that leave room.
 *
 * @param manifests YAML documents.
 * @param imageNamed reference of an image.
 */
export function kedaManifests(manifests: string, imageNamed: (name: string) => string): string {
    return manifests
        .split(/^---\n/m)
        .map((text) => (/^kind: Deployment$/m.test(text) ? adaptManifest(text, imageNamed) : text))
        .join("---\n");
}

function adaptManifest(text: string, imageNamed: (name: string) => string): string {
    const deployment = parse(text) as Deployment;
    const { name } = deployment.metadata;
    const image = IMAGES[name];
    const [container, ...others] = deployment.spec.template.spec.containers;
    if (image === undefined || container === undefined || others.length > 0) {
        throw new Error(`KEDA brings a Deployment ${name} that is not the one known here`);
    }
    container.image = imageNamed(image);
    // The manifest says Always, which would pull an image that only the node has.
    container.imagePullPolicy = "IfNotPresent";
    container.resources = RESOURCES;
    return stringify(deployment);
}
