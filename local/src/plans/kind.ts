import { applyMetricsServer, applyServingAddons, type AddonInputs } from "../addons/addons.ts";
import { provisionedVolumes } from "../addons/storage.ts";
import { imageOverrides, type ImageReferences } from "../images/images.ts";
import { ensureKindCluster, KIND_KUBECONFIG, loadImages } from "../kind/cluster.ts";
import { buildServiceImage, OFFICIAL_IMAGES } from "../kind/images.ts";
import { requireTools } from "../preflight.ts";
import { steps } from "../tasks.ts";
import { deploying } from "./deploying.ts";
import type { Made, Plan } from "./plan.ts";

interface Context extends Made {
    /** Address of the cluster's node. */
    address: string;
    images: ImageReferences[];
}

/** On kind, with the official images of third parties. */
export async function planForKind(signal: AbortSignal): Promise<Plan<Context>> {
    await requireTools(["go"]);
    const step = steps<Context>(signal);
    return {
        made: { address: "", images: [...OFFICIAL_IMAGES] },
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
            }),
            ...deploying(
                step,
                { stack: "local", kubeconfig: KIND_KUBECONFIG },
                ({ images, address }) => ({
                    ...imageOverrides(images),
                    // kind enforces network policies, and its gateway comes from the node's address.
                    "edge.controllerCidrs": JSON.stringify([`${address}/32`]),
                }),
            ),
        ],
        completing: [
            step("Metrics for the autoscaler", "metrics-server", async (run, made) => {
                await applyMetricsServer(run, addonInputs(made));
            }),
        ],
        end: "make down",
        look: () => [`export KUBECONFIG=${KIND_KUBECONFIG}`, "kubectl get pods -A"],
    };
}

function addonInputs({ address, images }: Context): AddonInputs {
    return { kubectl: "kubectl", kubeconfig: KIND_KUBECONFIG, address, images };
}
