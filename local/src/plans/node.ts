import type { ListrTask } from "listr2";
import path from "node:path";
import {
    applyMetricsServer,
    applyServingAddons,
    waitForMetricsServer,
    type AddonInputs,
} from "../addons/addons.ts";
import { applyAlertReceiver } from "../addons/alertReceiver.ts";
import { applyKeda, waitForKeda } from "../addons/keda.ts";
import { hostPathStorage } from "../addons/storage.ts";
import { startInBackground, type Background } from "../background.ts";
import { buildImage } from "../images/build.ts";
import { imageOverrides, monitoringOverrides, type Image } from "../images/images.ts";
import { importImages } from "../images/import.ts";
import { isRefreshRequested } from "../images/refresh.ts";
import { ensureModel } from "../model.ts";
import { NETWORK } from "../node/network.ts";
import { listLeftovers } from "../node/remove.ts";
import { linkPulumiState } from "../node/pulumiState.ts";
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
import { minimalDeployTasks, isComplete, type CompletableContext } from "./minimalDeploy.ts";
import { deployTasks, type Destination } from "./deployTasks.ts";
import type { Plan } from "./plan.ts";

/** What the steps have state so far. */
interface Context extends CompletableContext {
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
    const refresh = isRefreshRequested(process.env.REFRESH);
    const tenants = anonymousOverride(process.env.ANONYMOUS);
    await preflight({ nodeExists: (await listLeftovers()).length > 0 });
    const step = steps<Context>(signal);
    return {
        state: { binaries: {}, model: "", images: [], refresh, complete: false },
        serving: [
            {
                title: "Tools and images",
                // In parallel: compiling uses the CPUs while the other task waits for downloads.
                task: (_, task) =>
                    task.newListr([buildBinariesTask(step, signal), buildImagesTask(step)], {
                        concurrent: true,
                    }),
            },
            step("Images of binaries", "images-binaries", async (run, state) => {
                for (const name of ["pause", "coredns"]) {
                    state.images.push(await buildImage(run, name, state));
                }
            }),
            step("Node", "node", async (run, state) => {
                const tools = {
                    kubernetes: folder(state, "kubernetes"),
                    etcd: folder(state, "etcd"),
                    kubeRouter: folder(state, "kube-router"),
                };
                await ensureNode(run, tools, reference(state, "pause"));
                await importImages(run, selectImages(state, SYSTEM_IMAGES));
            }),
            {
                title: "Addons and the stack's images",
                task: (_, task) =>
                    task.newListr([applyAddonsTask(step), importImagesTask(step)], {
                        concurrent: true,
                    }),
            },
            ...minimalDeployTasks(step, DESTINATION, ({ images }) => ({
                ...imageOverrides(images),
                ...tenants,
            })),
        ],
        completing: [
            {
                title: "Monitoring and KEDA",
                task: (_, task) =>
                    task.newListr(
                        [buildMonitoringBinariesTask(step), buildMonitoringImagesTask(step)],
                        {
                            concurrent: true,
                        },
                    ),
            },
            step("metrics-server and KEDA", "keda", async (run, state) => {
                for (const name of COMPLETING.programs.map((program) => program.name)) {
                    state.images.push(await buildImage(run, name, state));
                }
                await importImages(run, state.images);
                await applyMetricsServer(run, addonInputs(state));
                await applyKeda(run, addonInputs(state));
            }),
            ...deployTasks(step, DESTINATION, ({ images }) => ({
                ...imageOverrides(images),
                ...monitoringOverrides(images),
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
        nextSteps: (state) => [
            `export KUBECONFIG=${KUBECONFIG}`,
            `${kubectlPath(state)} get pods -A`,
        ],
    };
}

const DESTINATION: Destination = { stack: "local", kubeconfig: KUBECONFIG, adopt: true };

/** The port in Pulumi.local.yaml. */
const GATEWAY_PORT = 8080;

/** Images that the node needs before it can run other pods. */
const SYSTEM_IMAGES = ["pause", "coredns", "traefik"];

/** Images of packages and workspaces that the first requests do not need. */
const MONITORING_IMAGES = [
    ...["prometheus", "alertmanager", "redis-exporter", "insights", "property-search"],
];

function applyAddonsTask(step: Steps<Context>): ListrTask<Context> {
    return step("Addons", "addons", async (run, state) => {
        const addons = { system: ["coredns"], storage: hostPathStorage() };
        await applyServingAddons(run, addonInputs(state), addons);
        await linkPulumiState(KUBECONFIG, PATHS.node);
        state.complete = await isComplete(run, addonInputs(state));
    });
}

function importImagesTask(step: Steps<Context>): ListrTask<Context> {
    return step("The stack's images", "import", async (run, state) => {
        await importImages(run, state.images);
    });
}

function buildBinariesTask(step: Steps<Context>, signal: AbortSignal): ListrTask<Context> {
    return step("Kubernetes from source", "binaries", async (run, state) => {
        Object.assign(state.binaries, await buildGo(run, SERVING));
        // With the lowest priority, since programs that serve requests come first.
        state.completing = startInBackground({ signal, log: logFile("completing") }, (behind) =>
            buildGo(behind, COMPLETING, { niceness: 19 }),
        );
    });
}

function buildImagesTask(step: Steps<Context>): ListrTask<Context> {
    return step("Packages, model and images", "images", async (run, state) => {
        await installDebianPackages(run);
        state.binaries.traefik = await installTraefik(run);
        state.model = await ensureModel(run);
        for (const name of ["traefik", "redis", "embedding-service"]) {
            state.images.push(await buildImage(run, name, state));
        }
    });
}

function buildMonitoringBinariesTask(step: Steps<Context>): ListrTask<Context> {
    return step("Monitoring and autoscaling from source", "watching", async (run, state) => {
        Object.assign(state.binaries, await state.completing?.wait(run));
    });
}

function buildMonitoringImagesTask(step: Steps<Context>): ListrTask<Context> {
    return step("Monitoring images", "images-watching", async (run, state) => {
        for (const name of MONITORING_IMAGES) {
            state.images.push(await buildImage(run, name, state));
        }
        await importImages(run, state.images);
    });
}

function addonInputs(state: Context): AddonInputs {
    return {
        kubectl: kubectlPath(state),
        kubeconfig: KUBECONFIG,
        gateway: { address: NETWORK.nodeAddress, port: GATEWAY_PORT },
        images: state.images,
    };
}

function kubectlPath(state: Context): string {
    return path.join(folder(state, "kubernetes"), "kubectl");
}

function folder({ binaries }: Context, name: string): string {
    const found = binaries[name];
    if (found === undefined) throw new Error(`${name} was not built`);
    return found;
}

function selectImages({ images }: Context, names: readonly string[]): Image[] {
    return images.filter(({ name }) => names.includes(name));
}

function reference({ images }: Context, name: string): string {
    return images.find((image) => image.name === name)?.references[0] ?? "";
}
