import type { Engine } from "./kind/engine.ts";
import { LocalError, tryRun } from "./shell.ts";

/** Where `make up` brings the platform. */
export type Target =
    { readonly kind: "context"; readonly context: string } | { readonly kind: "kind" | "node" };

/** A target and, in one sentence, why it is that one. */
export type Choice = Target & { readonly why: string };

/** What this machine offers. */
export interface Offers {
    /** CONTEXT of the command. */
    readonly context?: string;
    /** CLUSTER of the command. */
    readonly asked?: string;
    /** Whether our cluster of kind is here already, running or not. */
    readonly kindHere: boolean;
    /** Whether a node of our own is here already. */
    readonly node: boolean;
    /** Why kind cannot be used; undefined when it can. */
    readonly kindMissing?: string;
    /** As Node names it: a node of our own needs Linux. */
    readonly platform: NodeJS.Platform;
}

const KINDS = ["kind", "node"] as const;

/**
 * Chooses a cluster: the one that is named; else the one that is here; else kind where a container engine works, since
 * it leaves more of the work to others; else a node of our own.
 *
 * @throws LocalError when what is asked for cannot be had.
 */
export function chooseTarget(offers: Offers): Choice {
    const { context, asked, kindHere, node, kindMissing, platform } = offers;
    if (context !== undefined && context !== "") {
        return { kind: "context", context, why: `CONTEXT is ${context}` };
    }
    const wanted = KINDS.find((kind) => kind === asked);
    if (asked !== undefined && asked !== "" && wanted === undefined) {
        throw new LocalError(`CLUSTER is "${asked}"; allowed: ${KINDS.join(", ")}, or not set`);
    }
    if (wanted === "kind" && kindMissing !== undefined) {
        throw new LocalError(`CLUSTER is kind, but ${kindMissing}`);
    }
    if (wanted !== undefined) return { kind: wanted, why: `CLUSTER is ${wanted}` };
    if (kindHere && kindMissing === undefined) {
        return { kind: "kind", why: "a cluster of kind is here already" };
    }
    if (node) return { kind: "node", why: "a node of its own is here already" };
    if (kindMissing === undefined) return { kind: "kind", why: "a container engine is here" };
    if (platform === "linux") return { kind: "node", why: kindMissing };
    throw new LocalError(
        `${kindMissing}, and a node without it needs Linux (this is ${platform}): start Docker, Podman or ` +
            "nerdctl for a cluster of kind, or name a cluster that there is: make up CONTEXT=name",
    );
}

/** Why kind cannot be used on this machine, in one sentence; undefined when it can. */
export async function missingForKind(engine: Engine | undefined): Promise<string | undefined> {
    if (engine === undefined) return "no container engine answers here (docker, podman, nerdctl)";
    const kubectl = await tryRun("kubectl", ["version", "--client"]);
    return kubectl === undefined ? `${engine} is here, but kubectl is not` : undefined;
}
