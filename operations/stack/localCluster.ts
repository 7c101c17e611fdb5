import { invalidValue, userCacheFolder } from "@property-search/contract";
import { existsSync } from "node:fs";
import path from "node:path";
import { stackNames } from "./stacks.ts";

/** The stack of `make up`, which is deployed to its local cluster only. */
const LOCAL_STACK = "local";

/** Options of a command that select its cluster. */
export interface ClusterChoice {
    readonly stack?: string | undefined;
    readonly kubeconfig?: string | undefined;
    readonly context?: string | undefined;
}

/** Help text of the option --kubeconfig. */
export const KUBECONFIG_HELP =
    "kubeconfig; default: KUBECONFIG, then that of `make up` for the stack local, then ~/.kube/config";

/** Kubeconfigs that `make up` writes below its cache, in order of precedence. */
const LOCAL_KUBECONFIGS = ["kind/kubeconfig", "node-state/admin.conf"];

/** Kubeconfig of the cluster of `make up` on this machine; undefined if there is none. */
export function localKubeconfig(): string | undefined {
    const cache = userCacheFolder();
    return LOCAL_KUBECONFIGS.map((file) => path.join(cache, "property-search", file)).find((file) =>
        existsSync(file),
    );
}

/**
 * Chooses a kubeconfig: that of the option or KUBECONFIG; else, for the stack `local` and without a stack, that of `make up`
 * while its cluster exists.
 *
 * @returns undefined for ~/.kube/config
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

/** Stack of a command without --stack. @throws UserError if there is no cluster of `make up` */
export function localStack(): string {
    if (localKubeconfig() !== undefined) return LOCAL_STACK;
    throw invalidValue("STACK", "", stackNames().join(", "), "; there is no cluster of make up");
}
