import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import type { ListrTask } from "listr2";
import { kubectl, type AddonInputs } from "../addons/addons.ts";
import type { Step } from "../shell.ts";
import type { Steps } from "../tasks.ts";
import { deployTasks, type Destination } from "./deployTasks.ts";
import type { UpContext } from "./plan.ts";

/** Context of a plan that first deploys a minimal stack and then the complete one. */
export interface CompletableContext extends UpContext {
    /** Whether an earlier run has completed the cluster. */
    complete: boolean;
}

/** Config of the deploy before monitoring images and KEDA are available. */
export const MINIMAL_CONFIG = {
    "monitoring.enabled": "false",
    "autoscaling.metric": "none",
    "example.enabled": "false",
};

/**
 * Deploys the minimal stack that serves requests to a new cluster. A complete cluster is skipped: a minimal deploy
 * would remove its monitoring, and it gets a single deploy of the whole stack.
 */
export function minimalDeployTasks<C extends CompletableContext>(
    step: Steps<C>,
    destination: Destination,
    config: (state: C) => Readonly<Record<string, string>>,
): ListrTask<C>[] {
    const serving = (state: C) => ({ ...config(state), ...MINIMAL_CONFIG });
    return deployTasks(step, destination, serving, "the service").map((task) => ({
        ...task,
        enabled: ({ complete }: C) => !complete,
    }));
}

/** @returns whether the cluster has monitoring and KEDA, in any version. */
export async function isComplete(run: Step, inputs: AddonInputs): Promise<boolean> {
    const parts = [
        ["customresourcedefinition/scaledobjects.keda.sh"],
        ["-n", NAMESPACES.monitoring, `statefulset/${MONITORING_NAMES.prometheus}`],
    ];
    const get = ["get", "--ignore-not-found", "-o", "name"];
    const found = await Promise.all(parts.map((part) => kubectl(run, inputs, [...get, ...part])));
    return found.every((name) => name !== "");
}
