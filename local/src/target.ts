import type { Engine } from "./kind/engine.ts";
import { LocalError, tryRun } from "./shell.ts";

/** The cluster that `make up` uses. */
export type Target =
    { readonly kind: "context"; readonly context: string } | { readonly kind: "kind" | "node" };

/** A target with the reason for its choice. */
export type Choice = Target & { readonly reason: string };

/** Available targets and the user's choice. */
export interface AvailableTargets {
    /** Variable CONTEXT. */
    readonly context?: string;
    /** Variable CLUSTER. */
    readonly requested?: string;
    /** Whether the kind cluster exists, running or not. */
    readonly kindExists: boolean;
    /** Whether the single-node cluster exists. */
    readonly nodeExists: boolean;
    /** Why kind cannot be used; undefined if it can. */
    readonly kindProblem?: string;
    /** Platform in Node's notation; the single-node cluster needs Linux. */
    readonly platform: NodeJS.Platform;
}

const KINDS = ["kind", "node"] as const;

/**
 * Chooses a cluster: the requested one; else the existing one; else kind, if a container engine is available; else a
 * single-node cluster.
 *
 * @throws LocalError if the requested cluster is unavailable
 */
export function chooseTarget(offers: AvailableTargets): Choice {
    const { context, requested, kindExists, nodeExists, kindProblem, platform } = offers;
    if (context !== undefined && context !== "") {
        return { kind: "context", context, reason: `CONTEXT is ${context}` };
    }
    const wanted = KINDS.find((kind) => kind === requested);
    if (requested !== undefined && requested !== "" && wanted === undefined) {
        throw new LocalError(`CLUSTER is "${requested}"; allowed: ${KINDS.join(", ")}, or not set`);
    }
    if (wanted === "kind" && kindProblem !== undefined) {
        throw new LocalError(`CLUSTER is kind, but ${kindProblem}`);
    }
    if (wanted !== undefined) return { kind: wanted, reason: `CLUSTER is ${wanted}` };
    if (kindExists && kindProblem === undefined) {
        return { kind: "kind", reason: "it exists already" };
    }
    if (nodeExists) return { kind: "node", reason: "it exists already" };
    if (kindProblem === undefined)
        return { kind: "kind", reason: "a container engine is available" };
    if (platform === "linux") return { kind: "node", reason: kindProblem };
    throw new LocalError(
        `${kindProblem}, and a cluster without an engine needs Linux (this is ${platform}): start Docker, Podman or ` +
            "nerdctl for a kind cluster, or use an existing cluster: make up CONTEXT=name",
    );
}

/** @returns reason kind cannot be used on this machine; undefined if it can */
export async function findKindProblem(engine: Engine | undefined): Promise<string | undefined> {
    if (engine === undefined) return "no container engine responds (docker, podman, nerdctl)";
    const kubectl = await tryRun("kubectl", ["version", "--client"]);
    return kubectl === undefined ? `${engine} is available, but kubectl is missing` : undefined;
}
