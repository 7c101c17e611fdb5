import type { KubernetesObject, V1Condition } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";
import { readIfExists, type Cluster } from "../../cluster/connect.ts";

interface GatewayClass extends KubernetesObject {
    readonly spec: { readonly controllerName: string };
    readonly status?: { readonly conditions?: readonly V1Condition[] };
}

/** A controller that has just started accepts its class within seconds. */
const ACCEPT_TIMEOUT_MILLISECONDS = 20_000;
const POLL_MILLISECONDS = 500;

/**
 * Describes why no controller serves a GatewayClass: it does not run, or it rejects the class.
 *
 * @param timeoutMilliseconds for a controller to accept the class
 * @returns undefined for a class that is accepted, has no Accepted condition or does not exist
 */
export async function findClassProblem(
    cluster: Cluster,
    apiVersion: string,
    name: string,
    timeoutMilliseconds = ACCEPT_TIMEOUT_MILLISECONDS,
): Promise<string | undefined> {
    const reference = { apiVersion, kind: "GatewayClass", name };
    for (const deadline = Date.now() + timeoutMilliseconds; ;) {
        const found = await readIfExists<GatewayClass>(cluster, reference);
        const accepted = found?.status?.conditions?.find(({ type }) => type === "Accepted");
        if (!found || !accepted || accepted.status === "True") return undefined;
        const { controllerName } = found.spec;
        const { status, reason, message } = accepted;
        if (status === "False") return `${controllerName} rejects it (${reason}: ${message})`;
        if (Date.now() >= deadline) {
            return `no controller ${controllerName} has accepted it (${reason}: ${message})`;
        }
        await delay(POLL_MILLISECONDS);
    }
}
