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
    /** Whether a node of our own is here already. */
    readonly node: boolean;
    /** Why Docker and kind cannot be used; undefined when they can. */
    readonly kindMissing?: string;
}

const KINDS = ["kind", "node"] as const;

/**
 * Chooses a cluster: the one that is named; else the one that is here; else kind where Docker works, since
 * it leaves more of the work to others; else a node of our own.
 *
 * @throws LocalError when what is asked for cannot be had.
 */
export function chooseTarget({ context, asked, node, kindMissing }: Offers): Choice {
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
    if (node) return { kind: "node", why: "a node of its own is here already" };
    if (kindMissing !== undefined) return { kind: "node", why: kindMissing };
    return { kind: "kind", why: "Docker and kind are here" };
}

/** Why Docker and kind cannot be used on this machine, in one sentence; undefined when they can. */
export async function missingForKind(): Promise<string | undefined> {
    const [docker, kind, kubectl] = await Promise.all([
        tryRun("docker", ["info", "--format", "{{.ServerVersion}}"]),
        tryRun("kind", ["version"]),
        tryRun("kubectl", ["version", "--client"]),
    ]);
    if (docker === undefined) return "Docker is not running here";
    if (kind === undefined) return "Docker is here, but kind is not";
    return kubectl === undefined ? "Docker and kind are here, but kubectl is not" : undefined;
}
