import {
    applyMetricsServer,
    applyServingAddons,
    metricsServerReady,
    type AddonInputs,
} from "../addons/addons.ts";
import { applyAlertInbox } from "../addons/alertInbox.ts";
import { applyKeda, kedaReady } from "../addons/keda.ts";
import { provisionedVolumes } from "../addons/storage.ts";
import { imageOverrides, monitoringOverrides, type ImageReferences } from "../images/images.ts";
import { ensureKindCluster, KIND_KUBECONFIG, loadImages } from "../kind/cluster.ts";
import { buildServiceImage, OFFICIAL_IMAGES } from "../kind/images.ts";
import { requireTools } from "../preflight.ts";
import { steps } from "../tasks.ts";
import { deployingServing, isComplete, type Completable } from "./completing.ts";
import { deploying, type Destination } from "./deploying.ts";
import type { Plan } from "./plan.ts";

interface Context extends Completable {
    /** Address of the cluster's node. */
    address: string;
    images: ImageReferences[];
}

/** On kind, with the official images of third parties. */
export async function planForKind(signal: AbortSignal): Promise<Plan<Context>> {
    await requireTools(["go"]);
    const step = steps<Context>(signal);
    return {
        made: { address: "", images: [...OFFICIAL_IMAGES], complete: false },
        serving: [
            step("Image", "images", async (run, made) => {
                made.images.push(await buildServiceImage(run));
            }),
            step("Cluster", "node", async (run, made) => {
                made.address = await ensureKindCluster(run);
                const own = made.images.filter((image) => !OFFICIAL_IMAGES.includes(image));
                await loadImages(
                    run,
                    own.flatMap(({ references }) => references),
                );
            }),
            step("Addons", "addons", async (run, made) => {
                const addons = { system: [], storage: provisionedVolumes() };
                await applyServingAddons(run, addonInputs(made), addons);
                made.complete = await isComplete(run, addonInputs(made));
            }),
            ...deployingServing(step, DESTINATION, servingConfig),
        ],
        completing: [
            step("Metrics for the autoscaler", "metrics-server", async (run, made) => {
                await applyMetricsServer(run, addonInputs(made));
            }),
            step("KEDA", "keda", async (run, made) => {
                await applyKeda(run, addonInputs(made));
            }),
            ...deploying(step, DESTINATION, (made) => ({
                ...servingConfig(made),
                ...monitoringOverrides(made.images),
            })),
            // They have started beside the deploy, which needs their definitions alone.
            step("Inbox of alerts, and all addons ready", "addons-ready", async (run, made) => {
                await applyAlertInbox(run, addonInputs(made));
                await metricsServerReady(run, addonInputs(made));
                await kedaReady(run, addonInputs(made));
            }),
        ],
        end: "make down",
        look: () => [`export KUBECONFIG=${KIND_KUBECONFIG}`, "kubectl get pods -A"],
    };
}

const DESTINATION: Destination = { stack: "local", kubeconfig: KIND_KUBECONFIG };

function servingConfig({ images, address }: Context): Record<string, string> {
    return {
        ...imageOverrides(images),
        // kind enforces network policies, and its gateway comes from the node's address.
        "edge.controllerCidrs": JSON.stringify([`${address}/32`]),
    };
}

function addonInputs({ address, images }: Context): AddonInputs {
    return { kubectl: "kubectl", kubeconfig: KIND_KUBECONFIG, address, images };
}
