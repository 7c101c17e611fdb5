import {
    applyMetricsServer,
    applyServingAddons,
    waitForMetricsServer,
    type AddonInputs,
} from "../addons/addons.ts";
import { applyAlertReceiver } from "../addons/alertReceiver.ts";
import { applyKeda, waitForKeda } from "../addons/keda.ts";
import { provisionerStorage } from "../addons/storage.ts";
import {
    grafanaOverrides,
    imageOverrides,
    monitoringOverrides,
    type ImageReferences,
} from "../images/images.ts";
import { ensureKindCluster, KIND_KUBECONFIG, loadImages, type Kind } from "../kind/cluster.ts";
import type { Engine } from "../kind/engine.ts";
import { buildOwnImage, selectLocalImages, OFFICIAL_IMAGES } from "../kind/images.ts";
import { HOST_ADDRESS } from "../kind/port.ts";
import { linkPulumiState } from "../node/pulumiState.ts";
import { PATHS } from "../paths.ts";
import { requireTools } from "../preflight.ts";
import { steps } from "../tasks.ts";
import { buildKind } from "../toolchain/kind.ts";
import { anonymousOverride } from "./anonymous.ts";
import { minimalDeployTasks, isComplete, type CompletableContext } from "./minimalDeploy.ts";
import { deployTasks, type Destination } from "./deployTasks.ts";
import type { Plan } from "./plan.ts";

interface Context extends CompletableContext {
    /** Of this machine and of the node: where the gateway answers. */
    port: number;
    tools: Kind;
    images: ImageReferences[];
}

/** On kind, with the official images of third parties. */
export async function planForKind(engine: Engine, signal: AbortSignal): Promise<Plan<Context>> {
    const tenants = anonymousOverride(process.env.ANONYMOUS);
    await requireTools(["go"]);
    const step = steps<Context>(signal);
    return {
        state: {
            port: 0,
            tools: { engine, kind: "" },
            images: [...OFFICIAL_IMAGES],
            complete: false,
        },
        serving: [
            step("Image", "images", async (run, state) => {
                state.images.push(await buildOwnImage(run, engine, "embedding-service"));
            }),
            step("Cluster", "node", async (run, state) => {
                state.tools = { engine, kind: await buildKind(run) };
                const { PORT: port, KIND_NODE_IMAGE: image } = process.env;
                state.port = await ensureKindCluster(run, state.tools, { port, image });
            }),
            step("Images into the cluster", "import", async (run, state) => {
                const { serving } = splitImages(state.images);
                await loadImages(run, state.tools, await selectLocalImages(engine, serving));
            }),
            step("Addons", "addons", async (run, state) => {
                const addons = { system: [], storage: provisionerStorage() };
                await applyServingAddons(run, addonInputs(state), addons);
                await linkPulumiState(KIND_KUBECONFIG, PATHS.kind);
                state.complete = await isComplete(run, addonInputs(state));
            }),
            ...minimalDeployTasks(step, DESTINATION, (state) => ({
                ...minimalConfig(state),
                ...tenants,
            })),
        ],
        completing: [
            step("Monitoring images", "import-monitoring", async (run, state) => {
                for (const name of ["insights", "property-search"] as const) {
                    state.images.push(await buildOwnImage(run, engine, name));
                }
                const { watching } = splitImages(state.images);
                await loadImages(run, state.tools, await selectLocalImages(engine, watching));
            }),
            step("metrics-server", "metrics-server", async (run, state) => {
                await applyMetricsServer(run, addonInputs(state));
            }),
            step("KEDA", "keda", async (run, state) => {
                await applyKeda(run, addonInputs(state));
            }),
            ...deployTasks(step, DESTINATION, (state) => ({
                ...completeConfig(state),
                ...tenants,
            })),
            // The addons have started during the deploy, which needs only their CRDs.
            step("Alert receiver and addons", "addons-ready", async (run, state) => {
                await applyAlertReceiver(run, addonInputs(state));
                await waitForMetricsServer(run, addonInputs(state));
                await waitForKeda(run, addonInputs(state));
            }),
        ],
        teardownCommand: "make down",
        nextSteps: () => [`export KUBECONFIG=${KIND_KUBECONFIG}`, "kubectl get pods -A"],
    };
}

const SERVING: readonly string[] = ["embedding-service", "redis", "traefik"];

const DESTINATION: Destination = {
    stack: "local",
    kubeconfig: KIND_KUBECONFIG,
    adopt: true,
};

/** Splits images into those of the minimal deploy and those of monitoring. */
export function splitImages(images: readonly ImageReferences[]): {
    readonly serving: readonly ImageReferences[];
    readonly watching: readonly ImageReferences[];
} {
    const serves = ({ name }: ImageReferences) => SERVING.includes(name);
    return {
        serving: images.filter(serves),
        watching: images.filter((image) => !serves(image)),
    };
}

/** Config of the stack `local` on kind for the minimal deploy. */
export function minimalConfig({
    images,
    port,
}: Pick<Context, "images" | "port">): Record<string, string> {
    return {
        ...imageOverrides(images),
        "edge.httpPort": `${port}`,
        "edge.publicHttpPort": `${port}`,
    };
}

/** Config of the stack `local` on kind for the complete deploy. */
export function completeConfig(state: Pick<Context, "images" | "port">): Record<string, string> {
    return {
        ...minimalConfig(state),
        ...monitoringOverrides(state.images),
        ...grafanaOverrides(state.images),
    };
}

function addonInputs({ port, images }: Context): AddonInputs {
    const gateway = { address: HOST_ADDRESS, port };
    return { kubectl: "kubectl", kubeconfig: KIND_KUBECONFIG, gateway, images };
}
