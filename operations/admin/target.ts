import { readFileSync } from "node:fs";
import type { V1Secret } from "@kubernetes/client-node";
import {
    ADMIN_SECRET,
    COLOURS,
    isColour,
    LABELS,
    NAMESPACES,
    PORTS,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import { ClusterError, readIfExists, type Cluster } from "../cluster/connect.ts";
import { readActiveColour } from "../gateway/endpoint.ts";
import { forwardPort, readyPods } from "../cluster/forward.ts";

/** Admin port of a pod or a process. */
export interface AdminTarget {
    /** Base URL without a path. */
    readonly url: string;
    /** Never passed on a command line, which all users of the machine can read. */
    readonly token: string;
    readonly close: () => Promise<void>;
}

export interface PodChoice {
    /** Default: the colour with the most traffic. */
    readonly colour?: string | undefined;
    /** Default: any pod of the colour. */
    readonly pod?: string | undefined;
}

/** @throws ClusterError for a missing token or file */
export function processAdminTarget(url: string, tokenFile: string | undefined): AdminTarget {
    const token = process.env.ADMIN_TOKEN ?? (tokenFile === undefined ? "" : readToken(tokenFile));
    if (token === "") throw new ClusterError("set ADMIN_TOKEN to the token of that process");
    return { url: url.replace(/\/+$/, ""), token, close: () => Promise.resolve() };
}

/**
 * Connects to the admin port of a pod by port-forward, since it listens on the pod's loopback only.
 *
 * @throws ClusterError with a message for the user
 */
export async function clusterAdminTarget(
    cluster: Cluster,
    choice: PodChoice,
): Promise<AdminTarget> {
    const colour = choice.colour ?? (await readActiveColour(cluster));
    if (!isColour(colour)) {
        throw new ClusterError(`COLOUR is "${colour}"; allowed: ${COLOURS.join(", ")}`);
    }
    const token = await readAdminToken(cluster, colour);
    const namespace = NAMESPACES[colour];
    const pod = choice.pod ?? (await findReadyPod(cluster, colour));
    const { url, close } = await forwardPort(cluster, { namespace, pod, port: PORTS.admin });
    return { url, token, close };
}

async function findReadyPod(cluster: Cluster, colour: Colour): Promise<string> {
    const labels = { [LABELS.name]: SERVICE_NAMES[colour] };
    const [pod] = await readyPods(cluster, NAMESPACES[colour], labels);
    const name = pod?.metadata?.name;
    if (name !== undefined) return name;
    throw new ClusterError(`${NAMESPACES[colour]} has no ready pod of ${SERVICE_NAMES[colour]}`);
}

async function readAdminToken(cluster: Cluster, colour: Colour): Promise<string> {
    const [namespace, { name, key }] = [NAMESPACES[colour], ADMIN_SECRET];
    const reference = { apiVersion: "v1", kind: "Secret", namespace, name };
    const secret = await readIfExists<V1Secret>(cluster, reference);
    const data = secret?.data?.[key];
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    throw new ClusterError(
        `Secret ${namespace}/${name} with ${key} does not exist: deploy the stack`,
    );
}

function readToken(file: string): string {
    try {
        return readFileSync(file, "utf8").trim();
    } catch {
        throw new ClusterError(
            `${file} does not exist: \`make dev\` creates it; or set ADMIN_TOKEN`,
        );
    }
}
