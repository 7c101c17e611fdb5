import { findGateway } from "../../gateway/endpoint.ts";
import { isDeployedByApply, listAppliedStacks } from "../../deploy/apply/record.ts";
import { createSend } from "../../gateway/connection.ts";
import { setStackConfig } from "../../deploy/pulumi/stackFile.ts";
import { readStackApiKey } from "../../deploy/pulumi/secret.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { clusterApi } from "../api.ts";
import { clusterCapacity } from "../capacity/capacity.ts";
import { systemClock } from "../clock.ts";
import type { Context } from "./context.ts";
import { currentActor, hasExited, createHolderId } from "./driver.ts";
import { gatewayDataPlane } from "../dataPlane/gateway.ts";
import { clusterQuarantine } from "../dataPlane/quarantine.ts";
import { ReleaseError } from "../error.ts";
import type { Ports } from "../machine/ports.ts";
import { prometheusJudge } from "../machine/prometheusJudge.ts";
import { prometheusAccess } from "../../cluster/prometheusAccess.ts";
import { targetWeights } from "../state.ts";
import { clusterStore } from "../store/record.ts";
import { directTraffic } from "../traffic/direct.ts";
import { withFieldOwnership } from "../traffic/withFieldOwnership.ts";
import { routeStatus } from "../traffic/status.ts";
import type { Traffic } from "../traffic/traffic.ts";

interface PortsOptions {
    /** Whether to bypass the owner of the weights. */
    readonly force: boolean;
    readonly report: (line: string) => void;
}

/** @param stack default: the stack that was applied to the cluster */
export function createContext(
    cluster: Cluster,
    stack: string | undefined,
    report: (line: string) => void,
    signal?: AbortSignal,
): Context {
    const api = clusterApi(cluster);
    return {
        api,
        store: clusterStore(api),
        clock: systemClock,
        createPorts: (force) => createPorts(cluster, stack, { force, report }),
        report,
        signal,
        actor: currentActor(),
        holder: createHolderId(),
        hasExited,
    };
}

async function createPorts(
    cluster: Cluster,
    requested: string | undefined,
    { force, report }: PortsOptions,
): Promise<Ports> {
    const api = clusterApi(cluster);
    const clock = systemClock;
    const get = await prometheusAccess(cluster);
    const endpoint = await findGateway(cluster);
    const stack = await resolveStack(cluster, requested);
    const traffic = await createTraffic(cluster, { stack, force, report });
    return {
        clock,
        traffic,
        route: routeStatus(api),
        capacity: clusterCapacity(api),
        dataPlane: gatewayDataPlane({
            url: endpoint.url,
            send: createSend(endpoint),
            readApiKey: (isRejected) =>
                readStackApiKey({ cluster, stack, report, isGivenRejected: isRejected }),
            report,
        }),
        judge: prometheusJudge(
            (path, parameters) => get(`${path}?${new URLSearchParams(parameters).toString()}`),
            clock,
        ),
        quarantine: clusterQuarantine(cluster, clock),
        writeWeightsToConfig: async (state) => {
            const weights = targetWeights(state);
            if (!weights || stack === undefined) return;
            // If Pulumi updates from a copy of the file, the steps have written only that copy.
            const setting = `blue ${weights.blue}, green ${weights.green}`;
            try {
                await setStackConfig(stack, { "traffic.weights": weights });
                report(`Pulumi.${stack}.yaml now has ${setting}: commit it`);
            } catch (error) {
                // The switch is complete: a file that cannot be written must not keep it from ending.
                const reason = error instanceof Error ? error.message : String(error);
                report(`Pulumi.${stack}.yaml could not be written: ${reason}`);
                report(`set traffic.weights in it to ${setting} and commit it`);
            }
        },
    };
}

/** Writes the route directly with `force`, or for a stack that was deployed without Pulumi. */
async function createTraffic(
    cluster: Cluster,
    { stack, force, report }: PortsOptions & { readonly stack: string | undefined },
): Promise<Traffic> {
    const api = clusterApi(cluster);
    if (force || (stack !== undefined && (await isDeployedByApply(cluster, stack)))) {
        return directTraffic(api);
    }
    if (stack === undefined) {
        throw new ReleaseError(
            "STACK is not set; allowed: the stack that Pulumi deployed to this cluster, such as prod",
        );
    }
    // Loading Pulumi's SDK takes half a second, and most commands do not need it.
    const { createPulumiTraffic } = await import("../traffic/pulumiStack.ts");
    return withFieldOwnership(api, await createPulumiTraffic({ cluster, stack, report }));
}

/** @throws ReleaseError if several stacks were applied */
async function resolveStack(
    cluster: Cluster,
    requested: string | undefined,
): Promise<string | undefined> {
    if (requested !== undefined && requested !== "") return requested;
    const applied = await listAppliedStacks(cluster);
    if (applied.length <= 1) return applied[0];
    throw new ReleaseError(
        `STACK is not set; allowed: ${applied.join(", ")}, which were applied to this cluster`,
    );
}
