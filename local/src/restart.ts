import { clusterNodes, findEngine } from "./kind/engine.ts";
import { NODE } from "./kind/names.ts";
import { listOwnLeftovers } from "./node/remove.ts";
import { restartNode } from "./node/start.ts";
import { LocalError, logFile, run, type Step } from "./shell.ts";
import { buildGo } from "./toolchain/go.ts";
import { SERVING } from "./toolchain/programs.ts";

/** Ends the node of `make up` without warning and starts it again. Its pods follow after its return. */
export async function restart(options: Pick<Step, "signal" | "report">): Promise<void> {
    const step = { ...options, log: logFile("restart") };
    const engine = await findEngine();
    if (engine !== undefined && (await clusterNodes(engine)).length > 0) {
        await run(step, engine, ["kill", NODE]);
        await run(step, engine, ["start", NODE]);
        return;
    }
    if ((await listOwnLeftovers()).length === 0) {
        throw new LocalError("there is no node to restart; run make up first");
    }
    // Built before the node ends: the binaries are usually cached.
    const binaries = await buildGo(step, SERVING);
    await restartNode(step, {
        kubernetes: binaries.kubernetes ?? "",
        etcd: binaries.etcd ?? "",
        kubeRouter: binaries["kube-router"] ?? "",
    });
}
