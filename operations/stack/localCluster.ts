import { invalidValue } from "@property-search/contract";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { stackNames } from "./stacks.ts";

/** The stack of `make up`, which goes to its cluster and to no other. */
const LOCAL_STACK = "local";

/** What a command says of the cluster that it is for. */
export interface ClusterChoice {
    readonly stack?: string | undefined;
    readonly kubeconfig?: string | undefined;
    readonly context?: string | undefined;
}

/** Description of the flag --kubeconfig, for each command that has it. */
export const KUBECONFIG_WORDS =
    "kubeconfig; default: KUBECONFIG, then that of `make up` for the stack local, then ~/.kube/config";

/** Kubeconfigs that `make up` writes, below its cache, in the order in which it stays with a cluster. */
const KUBECONFIGS = ["kind/kubeconfig", "node-state/admin.conf"];

/** Kubeconfig of the cluster that `make up` made on this machine; undefined when there is none. */
export function localKubeconfig(): string | undefined {
    const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
    return KUBECONFIGS.map((file) => path.join(cache, "property-search", file)).find((file) =>
        existsSync(file),
    );
}

/**
 * Chooses a kubeconfig: the one that is given, by flag or by KUBECONFIG; else, for the stack `local` and for
 * no stack at all, the one of `make up` while its cluster exists.
 *
 * @returns undefined for the user's own, ~/.kube/config
 */
export function chooseKubeconfig({
    stack = LOCAL_STACK,
    kubeconfig,
    context,
}: ClusterChoice): string | undefined {
    if (kubeconfig !== undefined) return kubeconfig;
    const isGiven = [context, process.env.KUBECONFIG].some(
        (given) => given !== undefined && given !== "",
    );
    return isGiven || stack !== LOCAL_STACK ? undefined : localKubeconfig();
}

/** Stack of a command that names none. @throws UserError when `make up` has not made a cluster */
export function stackOfMakeUp(): string {
    if (localKubeconfig() !== undefined) return LOCAL_STACK;
    throw invalidValue("STACK", "", stackNames().join(", "), "; there is no cluster of make up");
}
