import { KubeConfig } from "@kubernetes/client-node";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { KIND_KUBECONFIG } from "../../local/src/kind/cluster.ts";
import { KUBECONFIG } from "../../local/src/node/start.ts";

/** Kubeconfig files that `make up` writes, in the order in which it stays with a cluster. */
const OF_MAKE_UP = [KIND_KUBECONFIG, KUBECONFIG];

export interface ClusterChoice {
    /** KUBECONFIG of the caller. */
    readonly kubeconfig: string | undefined;
    /** CONTEXT of the caller: the cluster that may be tested, and disturbed. */
    readonly context: string | undefined;
}

/**
 * The kubeconfig of the cluster that the cluster suites may disturb: that of `make up`, or one whose context
 * the caller names. A kubeconfig of the environment is rejected.
 *
 * @throws an Error that says what to do.
 */
export function chooseKubeconfig(choice: ClusterChoice, ofMakeUp = OF_MAKE_UP): string {
    const { kubeconfig, context } = choice;
    if (context) return narrowTo(context, kubeconfig ?? path.join(homedir(), ".kube/config"));
    if (kubeconfig && !ofMakeUp.includes(path.resolve(kubeconfig))) {
        throw new Error(
            `KUBECONFIG is "${kubeconfig}"; allowed: that of make up, since these tests kill pods and ` +
                "remove stacks. Unset it, or name the cluster to disturb: CONTEXT=name",
        );
    }
    const found = kubeconfig ? path.resolve(kubeconfig) : ofMakeUp.find((file) => existsSync(file));
    if (found === undefined) throw new Error("there is no cluster of make up; run make up first");
    return found;
}

/** Writes a kubeconfig with one context of `file` as its current one. */
function narrowTo(context: string, file: string): string {
    const config = new KubeConfig();
    config.loadFromFile(file);
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context)) {
        throw new Error(
            `CONTEXT is "${context}"; allowed: ${names.join(", ")} (contexts of ${file})`,
        );
    }
    config.setCurrentContext(context);
    const copy = path.join(mkdtempSync(path.join(tmpdir(), "cluster-tests-")), "kubeconfig");
    writeFileSync(copy, config.exportConfig(), { mode: 0o600 });
    return copy;
}

/** Jest's globalSetup of the cluster suites. */
export default function setUp(): void {
    const { KUBECONFIG: kubeconfig, CONTEXT: context } = process.env;
    process.env.KUBECONFIG = chooseKubeconfig({ kubeconfig, context });
}
