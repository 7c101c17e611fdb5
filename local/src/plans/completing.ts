import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import type { ListrTask } from "listr2";
import { kubectl, type AddonInputs } from "../addons/addons.ts";
import type { Step } from "../shell.ts";
import type { Steps } from "../tasks.ts";
import { deploying, type Destination } from "./deploying.ts";
import type { Made } from "./plan.ts";

/** What a plan knows of a cluster that is served first and completed then. */
export interface Completable extends Made {
    /** Whether an earlier run has completed the cluster. */
    complete: boolean;
}

/** Config of the deploy before there are images of what watches, and KEDA. */
export const SERVING_ONLY = { "monitoring.enabled": "false", "autoscaling.metric": "none" };

/**
 * Deploys what answers requests, to a cluster that has nothing of the stack. Of a complete one that would
 * take monitoring away; it serves already, and is deployed to once, when everything else is there.
 */
export function deployingServing<C extends Completable>(
    step: Steps<C>,
    destination: Destination,
    config: (made: C) => Readonly<Record<string, string>>,
): ListrTask<C>[] {
    const serving = (made: C) => ({ ...config(made), ...SERVING_ONLY });
    return deploying(step, destination, serving, "what serves").map((task) => ({
        ...task,
        enabled: ({ complete }: C) => !complete,
    }));
}

/** Whether monitoring and KEDA are on the cluster, be it in an older version. */
export async function isComplete(run: Step, inputs: AddonInputs): Promise<boolean> {
    const parts = [
        ["customresourcedefinition/scaledobjects.keda.sh"],
        ["-n", NAMESPACES.monitoring, `statefulset/${MONITORING_NAMES.prometheus}`],
    ];
    const get = ["get", "--ignore-not-found", "-o", "name"];
    const found = await Promise.all(parts.map((part) => kubectl(run, inputs, [...get, ...part])));
    return found.every((name) => name !== "");
}
