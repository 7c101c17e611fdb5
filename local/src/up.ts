import { connect, deploy, verify, type Deployed, type Verified } from "@property-search/deploy";
import { Listr, type ListrTask, type ListrTaskWrapper } from "listr2";
import path from "node:path";
import { applyMetricsServer, applyServingAddons } from "./addons/addons.ts";
import { buildImage } from "./images/build.ts";
import { imageOverrides, type Image } from "./images/images.ts";
import { importImages } from "./images/import.ts";
import { ensureModel } from "./model.ts";
import { ensureNode, KUBECONFIG } from "./node/start.ts";
import { preflight } from "./preflight.ts";
import { logFile, type Step } from "./shell.ts";
import { installDebianPackages } from "./toolchain/debian.ts";
import {
    buildGo,
    COREDNS,
    ETCD,
    GATEWAY_API,
    KUBERNETES,
    METRICS_SERVER,
    moduleFolder,
    PAUSE,
    type GoProgram,
} from "./toolchain/go.ts";
import { installTraefik } from "./toolchain/traefik.ts";

/** What the steps have made so far. */
interface Context {
    /** Folder of each binary, by its name. */
    binaries: Record<string, string>;
    model: string;
    images: Image[];
    deployed?: Deployed;
    verified?: Verified;
}

export interface UpResult {
    readonly deployed: Deployed;
    readonly verified: Verified;
    readonly servingSeconds: number;
    readonly seconds: number;
    /** Folder with kubectl. */
    readonly kubernetes: string;
}

type Task = ListrTask<Context>;
type Wrapper = ListrTaskWrapper<Context, never, never>;

/** Sets everything up on a node of this machine's own: serves first, then completes. */
export async function up(signal: AbortSignal): Promise<UpResult> {
    const started = Date.now();
    await preflight();
    const step = steps(signal);
    const context: Context = { binaries: {}, model: "", images: [] };

    await runTasks(context, [
        {
            title: "Tools and images",
            // Two lanes: compiling fills the processors while the other waits for downloads.
            task: (_, task) =>
                task.newListr([binariesLane(step), imagesLane(step)], { concurrent: true }),
        },
        step("Images of binaries", "images-binaries", async (run, made) => {
            for (const name of ["pause", "coredns"]) made.images.push(await build(run, name, made));
        }),
        step("Node", "node", async (run, made) => {
            const tools = { kubernetes: folder(made, "kubernetes"), etcd: folder(made, "etcd") };
            await ensureNode(run, tools, reference(made, "pause"));
            await importImages(run, made.images);
        }),
        step("Addons", "addons", async (run, made) => {
            const gatewayApi = await moduleFolder(run, GATEWAY_API, "sigs.k8s.io/gateway-api");
            const inputs = { kubernetes: folder(made, "kubernetes"), images: made.images };
            await applyServingAddons(run, inputs, gatewayApi);
        }),
        step("Deploy", "deploy", async (run, made) => {
            made.deployed = await deploy({
                stack: "local",
                kubeconfig: KUBECONFIG,
                config: imageOverrides(made.images),
                report: run.say,
                signal,
            });
        }),
        step("Verify", "verify", async (run, made) => {
            made.verified = await verify({
                cluster: connect(KUBECONFIG),
                report: run.say,
                signal,
            });
        }),
    ]);
    const servingSeconds = (Date.now() - started) / 1000;
    if (process.stdout.isTTY) console.log(`Serving after ${servingSeconds.toFixed(0)} s`);

    await runTasks(context, [
        step("Metrics for the autoscaler", "metrics-server", async (run, made) => {
            await buildProgram(run, METRICS_SERVER, made);
            const image = await build(run, "metrics-server", made);
            await importImages(run, [image]);
            const inputs = { kubernetes: folder(made, "kubernetes"), images: [image] };
            await applyMetricsServer(run, inputs);
        }),
    ]);
    const { deployed, verified } = context;
    if (!deployed || !verified) throw new Error("the steps ended without a deployment");
    return {
        deployed,
        verified,
        servingSeconds,
        seconds: (Date.now() - started) / 1000,
        kubernetes: folder(context, "kubernetes"),
    };
}

function binariesLane(step: Steps): Task {
    return step("Kubernetes from source", "binaries", async (run, made) => {
        for (const program of [PAUSE, ETCD, COREDNS, KUBERNETES]) {
            await buildProgram(run, program, made);
        }
    });
}

function imagesLane(step: Steps): Task {
    return step("Packages, model and images", "images", async (run, made) => {
        await installDebianPackages(run);
        made.binaries.traefik = await installTraefik(run);
        made.model = await ensureModel(run);
        for (const name of ["traefik", "redis", "embedding-service"]) {
            made.images.push(await build(run, name, made));
        }
    });
}

async function buildProgram(run: Step, program: GoProgram, made: Context): Promise<void> {
    made.binaries[program.name] = await buildGo(run, program);
}

function build(run: Step, name: string, { binaries, model }: Context): Promise<Image> {
    return buildImage(run, name, { binaries, model });
}

function folder({ binaries }: Context, name: string): string {
    const found = binaries[name];
    if (found === undefined) throw new Error(`${name} has not been built`);
    return found;
}

function reference({ images }: Context, name: string): string {
    return images.find((image) => image.name === name)?.references[0] ?? "";
}

type Steps = ReturnType<typeof steps>;

/** Tasks with a log of their own and a line of progress. */
function steps(signal: AbortSignal) {
    return (
        title: string,
        log: string,
        work: (run: Step, made: Context) => Promise<void>,
    ): Task => ({
        title,
        task: async (made, task: Wrapper) => {
            const started = Date.now();
            const say = (line: string) => {
                task.output = line;
            };
            await work({ log: logFile(log), signal, say }, made);
            task.title = `${title} (${((Date.now() - started) / 1000).toFixed(0)} s)`;
        },
    });
}

async function runTasks(context: Context, tasks: Task[]): Promise<void> {
    await new Listr(tasks, {
        renderer: process.stdout.isTTY ? "default" : "simple",
        rendererOptions: { collapseSubtasks: false },
        registerSignalListeners: false,
    }).run(context);
}

/** Folder of kubectl relative to nothing: for people to put on their PATH. */
export function kubectlPath({ kubernetes }: UpResult): string {
    return path.join(kubernetes, "kubectl");
}
