import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { V1Secret } from "@kubernetes/client-node";
import {
    ADMIN_SECRET,
    COLOURS,
    isColour,
    NAMESPACES,
    PORTS,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import { execa } from "execa";
import { ClusterError, readIfExists, type Cluster } from "../apply/cluster.ts";
import { liveWeights } from "../verify/gateway.ts";

/** One pod's admin port, as it can be reached from here. */
export interface AdminTarget {
    /** Base URL without a path. */
    readonly url: string;
    /** Never on a command line, where every user of the machine could read it. */
    readonly token: string;
    readonly close: () => Promise<void>;
}

export interface PodChoice {
    readonly kubeconfig?: string | undefined;
    readonly context?: string | undefined;
    /** Default: the colour with the most traffic. */
    readonly colour?: string | undefined;
    /** Default: any pod of the colour. */
    readonly pod?: string | undefined;
}

/** @throws ClusterError for a token or a file that is missing */
export function adminOfProcess(url: string, tokenFile: string | undefined): AdminTarget {
    const token = process.env.ADMIN_TOKEN ?? (tokenFile === undefined ? "" : readToken(tokenFile));
    if (token === "") throw new ClusterError("set ADMIN_TOKEN to the token of that process");
    return { url: url.replace(/\/+$/, ""), token, close: () => Promise.resolve() };
}

/**
 * The admin port of a pod listens on the pod's own loopback, so one gets there by port-forward only.
 *
 * @throws ClusterError, for the user to read
 */
export async function adminOfCluster(cluster: Cluster, choice: PodChoice): Promise<AdminTarget> {
    const colour = choice.colour ?? (await activeColour(cluster));
    if (!isColour(colour)) {
        throw new ClusterError(`COLOUR is "${colour}"; allowed: ${COLOURS.join(", ")}`);
    }
    const token = await tokenOf(cluster, colour);
    const { url, close } = await forward(colour, choice);
    return { url, token, close };
}

async function activeColour(cluster: Cluster): Promise<Colour> {
    const weights = await liveWeights(cluster);
    return weights.green > weights.blue ? "green" : "blue";
}

async function tokenOf(cluster: Cluster, colour: Colour): Promise<string> {
    const [namespace, { name, key }] = [NAMESPACES[colour], ADMIN_SECRET];
    const reference = { apiVersion: "v1", kind: "Secret", namespace, name };
    const secret = await readIfExists<V1Secret>(cluster, reference);
    const data = secret?.data?.[key];
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    throw new ClusterError(`there is no Secret ${namespace}/${name} with ${key}: deploy the stack`);
}

async function forward(
    colour: Colour,
    { kubeconfig, context, pod }: PodChoice,
): Promise<Pick<AdminTarget, "url" | "close">> {
    const child = execa(
        "kubectl",
        [
            ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
            ...(context === undefined ? [] : ["--context", context]),
            ...["--namespace", NAMESPACES[colour], "port-forward", "--address", "127.0.0.1"],
            ...[pod === undefined ? `deployment/${SERVICE_NAMES[colour]}` : `pod/${pod}`],
            `:${PORTS.admin}`,
        ],
        { reject: false, buffer: { stdout: false } },
    );
    // Not by the child's own lines: to leave those is to wait for its end.
    for await (const line of createInterface({ input: child.stdout })) {
        const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port === undefined) continue;
        // Read on, or it stands still when its pipe is full.
        child.stdout.resume();
        return {
            url: `http://127.0.0.1:${port}`,
            close: async () => {
                child.kill();
                await child;
            },
        };
    }
    const { code, stderr, shortMessage } = await child;
    throw new ClusterError(
        code === "ENOENT"
            ? "kubectl is missing: install it, or forward the port yourself and set URL and ADMIN_TOKEN"
            : `kubectl port-forward failed: ${stderr || (shortMessage ?? "it ended")}`,
    );
}

function readToken(file: string): string {
    try {
        return readFileSync(file, "utf8").trim();
    } catch {
        throw new ClusterError(`${file} is not there: \`make dev\` writes it; or set ADMIN_TOKEN`);
    }
}
