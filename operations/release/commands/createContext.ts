import { findGateway } from "../../gateway/endpoint.ts";
import { isApplied, appliedStacks } from "../../deploy/apply/record.ts";
import { senderTo } from "../../gateway/connection.ts";
import { setStackConfig } from "../../deploy/pulumi/stackFile.ts";
import { stackApiKey } from "../../deploy/pulumi/secret.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { clusterApi } from "../api.ts";
import { clusterCapacity } from "../capacity/capacity.ts";
import { systemClock } from "../clock.ts";
import type { Context } from "./context.ts";
import { actor, isGone, newHolder } from "./driver.ts";
import { gatewayDataPlane } from "../dataPlane/gateway.ts";
import { clusterTrials } from "../dataPlane/quarantine.ts";
import { ReleaseError } from "../error.ts";
import type { Ports } from "../machine/ports.ts";
import { prometheusJudge } from "../machine/prometheusJudge.ts";
import { prometheusAccess } from "../../cluster/prometheusAccess.ts";
import { wantedWeights } from "../state.ts";
import { clusterStore } from "../store/record.ts";
import { directTraffic } from "../traffic/direct.ts";
import { heldTraffic } from "../traffic/withFieldOwnership.ts";
import { routeStatus } from "../traffic/status.ts";
import type { Traffic } from "../traffic/traffic.ts";

interface Opening {
    /** Whether to bypass the owner of the weights. */
    readonly direct: boolean;
    readonly report: (line: string) => void;
}

/** @param stack default: the stack that was applied to the cluster */
export function openContext(
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
        openPorts: (direct) => openPorts(cluster, stack, { direct, report }),
        report,
        signal,
        actor: actor(),
        holder: newHolder(),
        isGone,
    };
}

async function openPorts(
    cluster: Cluster,
    asked: string | undefined,
    { direct, report }: Opening,
): Promise<Ports> {
    const api = clusterApi(cluster);
    const clock = systemClock;
    const get = await prometheusAccess(cluster);
    const endpoint = await findGateway(cluster);
    const stack = await stackOf(cluster, asked);
    const apiKey = await stackApiKey({ cluster, stack, report });
    const traffic = await openTraffic(cluster, { stack, direct, report });
    return {
        clock,
        traffic,
        route: routeStatus(api),
        capacity: clusterCapacity(api),
        dataPlane: gatewayDataPlane({ url: endpoint.url, send: senderTo(endpoint), apiKey }),
        judge: prometheusJudge(
            (path, parameters) => get(`${path}?${new URLSearchParams(parameters).toString()}`),
            clock,
        ),
        trials: clusterTrials(cluster, clock),
        settle: async (state) => {
            const weights = wantedWeights(state);
            if (!weights || stack === undefined) return;
            // If Pulumi updates from a copy of the file, the steps have written only that copy.
            const said = `blue ${weights.blue}, green ${weights.green}`;
            try {
                await setStackConfig(stack, { "traffic.weights": weights });
                report(`Pulumi.${stack}.yaml now has ${said}: commit it`);
            } catch (error) {
                // The switch is complete: a file that cannot be written must not keep it from ending.
                const reason = error instanceof Error ? error.message : String(error);
                report(`Pulumi.${stack}.yaml could not be written: ${reason}`);
                report(`set traffic.weights in it to ${said} and commit it`);
            }
        },
    };
}

/** Writes the route directly with `force`, or for a stack that was deployed without Pulumi. */
async function openTraffic(
    cluster: Cluster,
    { stack, direct, report }: Opening & { readonly stack: string | undefined },
): Promise<Traffic> {
    const api = clusterApi(cluster);
    if (direct || (stack !== undefined && (await isApplied(cluster, stack)))) {
        return directTraffic(api);
    }
    if (stack === undefined) {
        throw new ReleaseError(
            "STACK is not set; allowed: the stack that Pulumi deployed to this cluster, such as prod",
        );
    }
    // Loading Pulumi's SDK takes half a second, and most commands do not need it.
    const { openPulumiTraffic } = await import("../traffic/pulumiStack.ts");
    return heldTraffic(api, await openPulumiTraffic({ cluster, stack, report }));
}

/** @throws ReleaseError if several stacks were applied */
async function stackOf(cluster: Cluster, asked: string | undefined): Promise<string | undefined> {
    if (asked !== undefined && asked !== "") return asked;
    const applied = await appliedStacks(cluster);
    if (applied.length <= 1) return applied[0];
    throw new ReleaseError(
        `STACK is not set; allowed: ${applied.join(", ")}, which were applied to this cluster`,
    );
}
