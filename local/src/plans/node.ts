import type { ListrTask } from "listr2";
import path from "node:path";
import {
    applyMetricsServer,
    applyServingAddons,
    metricsServerReady,
    type AddonInputs,
} from "../addons/addons.ts";
import { applyAlertInbox } from "../addons/alertInbox.ts";
import { applyKeda, kedaReady } from "../addons/keda.ts";
import { folderVolumes } from "../addons/storage.ts";
import { begin, type Background } from "../background.ts";
import { buildImage } from "../images/build.ts";
import { imageOverrides, monitoringOverrides, type Image } from "../images/images.ts";
import { importImages } from "../images/import.ts";
import { asksForRefresh } from "../images/refresh.ts";
import { ensureModel } from "../model.ts";
import { NETWORK } from "../node/network.ts";
import { leftovers } from "../node/remove.ts";
import { keepPulumiState } from "../node/pulumiState.ts";
import { ensureNode, KUBECONFIG } from "../node/start.ts";
import { PATHS } from "../paths.ts";
import { preflight } from "../preflight.ts";
import { logFile } from "../shell.ts";
import { steps, type Steps } from "../tasks.ts";
import { installDebianPackages } from "../toolchain/debian.ts";
import { buildGo, type Binaries } from "../toolchain/go.ts";
import { COMPLETING, SERVING } from "../toolchain/programs.ts";
import { installTraefik } from "../toolchain/traefik.ts";
import { anonymousOverride } from "./anonymous.ts";
import { deployingServing, isComplete, type Completable } from "./completing.ts";
import { deploying, type Destination } from "./deploying.ts";
import type { Plan } from "./plan.ts";

/** What the steps have made so far. */
interface Context extends Completable {
    /** Folder of each binary, by its name. */
    binaries: Record<string, string>;
    /** Those of what watches and scales, which compile while the cluster starts to serve. */
    completing?: Background<Binaries>;
    model: string;
    images: Image[];
    /** Of what Debian's packages were resolved to. */
    readonly refresh: boolean;
}

/** On a node of this machine's own, of which everything comes from packages. */
export async function planForNode(signal: AbortSignal): Promise<Plan<Context>> {
    const refresh = asksForRefresh(process.env.REFRESH);
    const tenants = anonymousOverride(process.env.ANONYMOUS);
    await preflight({ nodeIsHere: (await leftovers()).length > 0 });
    const step = steps<Context>(signal);
    return {
        made: { binaries: {}, model: "", images: [], refresh, complete: false },
        serving: [
            {
                title: "Tools and images",
                // Two lanes: compiling fills the processors while the other waits for downloads.
                task: (_, task) =>
                    task.newListr([binariesLane(step, signal), imagesLane(step)], {
                        concurrent: true,
                    }),
            },
            step("Images of binaries", "images-binaries", async (run, made) => {
                for (const name of ["pause", "coredns"]) {
                    made.images.push(await buildImage(run, name, made));
                }
            }),
            step("Node", "node", async (run, made) => {
                const tools = {
                    kubernetes: folder(made, "kubernetes"),
                    etcd: folder(made, "etcd"),
                    kubeRouter: folder(made, "kube-router"),
                };
                await ensureNode(run, tools, reference(made, "pause"));
                await importImages(run, imagesOf(made, SYSTEM_IMAGES));
            }),
            {
                title: "Addons and the stack's images",
                task: (_, task) =>
                    task.newListr([addonsLane(step), importLane(step)], { concurrent: true }),
            },
            ...deployingServing(step, DESTINATION, ({ images }) => ({
                ...imageOverrides(images),
                ...tenants,
            })),
        ],
        completing: [
            {
                title: "Monitoring and KEDA",
                task: (_, task) =>
                    task.newListr([watchingBinariesLane(step), watchingImagesLane(step)], {
                        concurrent: true,
                    }),
            },
            step("Metrics for the autoscaler, and KEDA", "keda", async (run, made) => {
                for (const name of COMPLETING.programs.map((program) => program.name)) {
                    made.images.push(await buildImage(run, name, made));
                }
                await importImages(run, made.images);
                await applyMetricsServer(run, addonInputs(made));
                await applyKeda(run, addonInputs(made));
            }),
            ...deploying(step, DESTINATION, ({ images }) => ({
                ...imageOverrides(images),
                ...monitoringOverrides(images),
                ...tenants,
            })),
            // They have started beside the deploy, which needs their definitions alone.
            step("Inbox of alerts, and all addons ready", "addons-ready", async (run, made) => {
                await applyAlertInbox(run, addonInputs(made));
                await metricsServerReady(run, addonInputs(made));
                await kedaReady(run, addonInputs(made));
            }),
        ],
        end: "make down",
        look: (made) => [`export KUBECONFIG=${KUBECONFIG}`, `${kubectlOf(made)} get pods -A`],
    };
}

const DESTINATION: Destination = { stack: "local", kubeconfig: KUBECONFIG, adopt: true };

/** As Pulumi.local.yaml has it. */
const GATEWAY_PORT = 8080;

/** What the node needs before anything else can run on it. */
const SYSTEM_IMAGES = ["pause", "coredns", "traefik"];

function addonsLane(step: Steps<Context>): ListrTask<Context> {
    return step("Addons", "addons", async (run, made) => {
        const addons = { system: ["coredns"], storage: folderVolumes() };
        await applyServingAddons(run, addonInputs(made), addons);
        await keepPulumiState(KUBECONFIG, PATHS.node);
        made.complete = await isComplete(run, addonInputs(made));
    });
}

function importLane(step: Steps<Context>): ListrTask<Context> {
    return step("The stack's images", "import", async (run, made) => {
        await importImages(run, made.images);
    });
}

function binariesLane(step: Steps<Context>, signal: AbortSignal): ListrTask<Context> {
    return step("Kubernetes from source", "binaries", async (run, made) => {
        Object.assign(made.binaries, await buildGo(run, SERVING));
        // With the lowest priority: what serves comes first, and waiting for it leaves processors idle.
        made.completing = begin({ signal, log: logFile("completing") }, (behind) =>
            buildGo(behind, COMPLETING, { niceness: 19 }),
        );
    });
}

function imagesLane(step: Steps<Context>): ListrTask<Context> {
    return step("Packages, model and images", "images", async (run, made) => {
        await installDebianPackages(run);
        made.binaries.traefik = await installTraefik(run);
        made.model = await ensureModel(run);
        for (const name of ["traefik", "redis", "embedding-service"]) {
            made.images.push(await buildImage(run, name, made));
        }
    });
}

function watchingBinariesLane(step: Steps<Context>): ListrTask<Context> {
    return step("What watches and scales, from source", "watching", async (run, made) => {
        Object.assign(made.binaries, await made.completing?.finish(run));
    });
}

function watchingImagesLane(step: Steps<Context>): ListrTask<Context> {
    return step("Images of what watches", "images-watching", async (run, made) => {
        for (const name of ["prometheus", "alertmanager", "redis-exporter"]) {
            made.images.push(await buildImage(run, name, made));
        }
        await importImages(run, made.images);
    });
}

function addonInputs(made: Context): AddonInputs {
    return {
        kubectl: kubectlOf(made),
        kubeconfig: KUBECONFIG,
        gateway: { address: NETWORK.nodeAddress, port: GATEWAY_PORT },
        images: made.images,
    };
}

function kubectlOf(made: Context): string {
    return path.join(folder(made, "kubernetes"), "kubectl");
}

function folder({ binaries }: Context, name: string): string {
    const found = binaries[name];
    if (found === undefined) throw new Error(`${name} has not been built`);
    return found;
}

function imagesOf({ images }: Context, names: readonly string[]): Image[] {
    return images.filter(({ name }) => names.includes(name));
}

function reference({ images }: Context, name: string): string {
    return images.find((image) => image.name === name)?.references[0] ?? "";
}
