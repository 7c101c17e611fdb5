import type { V1Pod } from "@kubernetes/client-node";
import {
    COLOURS,
    LABELS,
    NAMESPACES,
    PATHS,
    PORTS,
    REDIS_NAME,
    SERVICE_NAMES,
    type OverlappingSecret,
} from "@property-search/contract";
import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { forwardPort, readyPods, type PodPort } from "../cluster/forward.ts";
import { ClusterError, type Cluster } from "../cluster/connect.ts";

/** Longer than the kubelet needs to update a Secret in a pod: a minute plus the age of its cache. */
const TIMEOUT_SECONDS = 240;
const POLL_MILLISECONDS = 2_000;
const LOGIN_TIMEOUT_MILLISECONDS = 5_000;

/**
 * Waits until every pod that checks a secret accepts or rejects a value, by using the value at each pod.
 *
 * @throws ClusterError with the remaining pods after four minutes
 */
export async function waitForAnswers(
    cluster: Cluster,
    secret: OverlappingSecret,
    value: string,
    answer: "accepted" | "rejected",
    signal?: AbortSignal,
): Promise<void> {
    const until = Date.now() + TIMEOUT_SECONDS * 1000;
    for (;;) {
        const pods = await findCheckers(cluster, secret);
        const answers = await Promise.all(
            pods.map(async (pod) =>
                (await isAccepted(cluster, pod, secret, value)) ? "accepted" : "rejected",
            ),
        );
        const others = pods.filter((_, index) => answers[index] !== answer);
        if (others.length === 0) return;
        if (Date.now() > until) {
            const names = others.map(({ namespace, pod }) => `${namespace}/${pod}`);
            throw new ClusterError(
                `${secret} is not ${answer} after ${TIMEOUT_SECONDS} s by ${names.join(", ")}; ` +
                    "run the same command again to continue",
            );
        }
        await delay(POLL_MILLISECONDS, undefined, { signal });
    }
}

/** Finds the pods that check a secret. @throws ClusterError if there are none */
export async function findCheckers(
    cluster: Cluster,
    secret: OverlappingSecret,
): Promise<readonly PodPort[]> {
    const pods =
        secret === "tenants.platformKey" ? await servicePods(cluster) : await redisPods(cluster);
    if (pods.length > 0) return pods;
    throw new ClusterError(
        secret === "tenants.platformKey"
            ? `${cluster.context} has no ready pod of the service`
            : `${cluster.context} has no Redis of the stack: change ${secret} at your external Redis`,
    );
}

async function servicePods(cluster: Cluster): Promise<PodPort[]> {
    const pods = await Promise.all(
        COLOURS.map(async (colour) =>
            (
                await readyPods(cluster, NAMESPACES[colour], {
                    [LABELS.name]: SERVICE_NAMES[colour],
                })
            ).map(({ metadata }) => ({
                namespace: NAMESPACES[colour],
                pod: metadata?.name ?? "",
                port: PORTS.service,
            })),
        ),
    );
    return pods.flat();
}

/** Pods of the stack's own Redis; none if Redis is external. */
export async function redisPods(cluster: Cluster): Promise<PodPort[]> {
    const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", {
        namespace: NAMESPACES.data,
        labelSelector: `${LABELS.name}=${REDIS_NAME},${LABELS.component}=cache`,
    });
    return items.map(({ metadata }) => ({
        namespace: NAMESPACES.data,
        pod: metadata?.name ?? "",
        port: PORTS.redis,
    }));
}

async function isAccepted(
    cluster: Cluster,
    pod: PodPort,
    secret: OverlappingSecret,
    value: string,
): Promise<boolean> {
    const { url, close } = await forwardPort(cluster, pod);
    try {
        if (secret === "tenants.platformKey") return await isKnownKey(url, value);
        const user = secret.slice(secret.lastIndexOf(".") + 1);
        return await canLogIn(Number(new URL(url).port), user, value);
    } finally {
        await close();
    }
}

/** Whether the service accepts an API key. The request is invalid, so that it costs nothing. */
async function isKnownKey(url: string, key: string): Promise<boolean> {
    const response = await fetch(`${url}${PATHS.embed}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: "{}",
        signal: AbortSignal.timeout(LOGIN_TIMEOUT_MILLISECONDS),
    });
    await response.arrayBuffer();
    if (response.status === 401) return false;
    if (response.status === 400 || response.status === 422) return true;
    throw new ClusterError(
        `a pod responded with ${response.status} to an empty request, not 400 or 401`,
    );
}

/** Whether a Redis on this machine's loopback accepts a user's password. */
export async function canLogIn(port: number, user: string, password: string): Promise<boolean> {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.setTimeout(LOGIN_TIMEOUT_MILLISECONDS, () => {
        socket.destroy(new Error("Redis does not answer"));
    });
    try {
        const words = ["AUTH", user, password];
        const sent = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
        socket.write(`*${words.length}\r\n${sent.join("")}`);
        const lines = createInterface({ input: socket });
        const failed = once(socket, "error").then(([error]) => Promise.reject(error as Error));
        const [line] = (await Promise.race([once(lines, "line"), failed])) as [string];
        if (line === "+OK") return true;
        if (line.startsWith("-WRONGPASS")) return false;
        throw new ClusterError(`Redis responded to a login with ${line}`);
    } finally {
        socket.destroy();
    }
}
