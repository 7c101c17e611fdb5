import {
    applyMetricsServer,
    applyServingAddons,
    metricsServerReady,
    type AddonInputs,
} from "../addons/addons.ts";
import { applyAlertInbox } from "../addons/alertInbox.ts";
import { applyKeda, kedaReady } from "../addons/keda.ts";
import { provisionedVolumes } from "../addons/storage.ts";
import {
    grafanaOverrides,
    imageOverrides,
    monitoringOverrides,
    type ImageReferences,
} from "../images/images.ts";
import { ensureKindCluster, KIND_KUBECONFIG, loadImages, type Kind } from "../kind/cluster.ts";
import type { Engine } from "../kind/engine.ts";
import { buildServiceImage, imagesOf, OFFICIAL_IMAGES } from "../kind/images.ts";
import { HOST_ADDRESS } from "../kind/port.ts";
import { keepPulumiState } from "../node/pulumiState.ts";
import { PATHS } from "../paths.ts";
import { requireTools } from "../preflight.ts";
import { steps } from "../tasks.ts";
import { buildKind } from "../toolchain/kind.ts";
import { anonymousOverride } from "./anonymous.ts";
import { deployingServing, isComplete, type Completable } from "./completing.ts";
import { deploying, type Destination } from "./deploying.ts";
import type { Plan } from "./plan.ts";

interface Context extends Completable {
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
        made: {
            port: 0,
            tools: { engine, kind: "" },
            images: [...OFFICIAL_IMAGES],
            complete: false,
        },
        serving: [
            step("Image", "images", async (run, made) => {
                made.images.push(await buildServiceImage(run, engine));
            }),
            step("Cluster", "node", async (run, made) => {
                made.tools = { engine, kind: await buildKind(run) };
                const { PORT: port, KIND_NODE_IMAGE: image } = process.env;
                made.port = await ensureKindCluster(run, made.tools, { port, image });
            }),
            step("Images into the cluster", "import", async (run, made) => {
                const { serving } = byPhase(made.images);
                await loadImages(run, made.tools, await imagesOf(engine, serving));
            }),
            step("Addons", "addons", async (run, made) => {
                const addons = { system: [], storage: provisionedVolumes() };
                await applyServingAddons(run, addonInputs(made), addons);
                await keepPulumiState(KIND_KUBECONFIG, PATHS.kind);
                made.complete = await isComplete(run, addonInputs(made));
            }),
            ...deployingServing(step, DESTINATION, (made) => ({
                ...servingConfig(made),
                ...tenants,
            })),
        ],
        completing: [
            step("Images of what watches", "import-watching", async (run, made) => {
                const { watching } = byPhase(made.images);
                await loadImages(run, made.tools, await imagesOf(engine, watching));
            }),
            step("Metrics for the autoscaler", "metrics-server", async (run, made) => {
                await applyMetricsServer(run, addonInputs(made));
            }),
            step("KEDA", "keda", async (run, made) => {
                await applyKeda(run, addonInputs(made));
            }),
            ...deploying(step, DESTINATION, (made) => ({ ...completeConfig(made), ...tenants })),
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

const SERVING: readonly string[] = ["embedding-service", "redis", "traefik"];

const DESTINATION: Destination = {
    stack: "local",
    kubeconfig: KIND_KUBECONFIG,
    adopt: true,
};

/** Images that the first deploy's pods and addons run, and the others, which need not be waited for. */
export function byPhase(images: readonly ImageReferences[]): {
    readonly serving: readonly ImageReferences[];
    readonly watching: readonly ImageReferences[];
} {
    const serves = ({ name }: ImageReferences) => SERVING.includes(name);
    return {
        serving: images.filter(serves),
        watching: images.filter((image) => !serves(image)),
    };
}

/** Config of the stack `local` on kind, as far as it serves. */
export function servingConfig({
    images,
    port,
}: Pick<Context, "images" | "port">): Record<string, string> {
    return {
        ...imageOverrides(images),
        "edge.httpPort": `${port}`,
        "edge.publicHttpPort": `${port}`,
    };
}

/** All of it. */
export function completeConfig(made: Pick<Context, "images" | "port">): Record<string, string> {
    return {
        ...servingConfig(made),
        ...monitoringOverrides(made.images),
        ...grafanaOverrides(made.images),
    };
}

function addonInputs({ port, images }: Context): AddonInputs {
    const gateway = { address: HOST_ADDRESS, port };
    return { kubectl: "kubectl", kubeconfig: KIND_KUBECONFIG, gateway, images };
}
