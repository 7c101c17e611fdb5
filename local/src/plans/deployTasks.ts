import { connect } from "@property-search/operations/cluster/connect.ts";
import { deploy } from "@property-search/operations/deploy/deploy.ts";
import { verify } from "@property-search/operations/deploy/verify.ts";
import type { ListrTask } from "listr2";
import type { Steps } from "../tasks.ts";
import type { UpContext } from "./plan.ts";

/** A stack and the cluster it goes to. */
export interface Destination {
    readonly stack: string;
    /** Default: KUBECONFIG, then ~/.kube/config. */
    readonly kubeconfig?: string;
    /** Default: the current context of the kubeconfig. */
    readonly context?: string;
    /** Whether existing objects are adopted. `make up` keeps a namespace of a removed stack for the alert receiver. */
    readonly adopt?: boolean;
}

/**
 * Creates the tasks that deploy a stack and verify it as a client.
 *
 * @param config overrides of the stack's config. Default: those of the previous deploy
 * @param what part of the stack, for the title of the task
 */
export function deployTasks<C extends UpContext>(
    step: Steps<C>,
    { stack, kubeconfig, context, adopt }: Destination,
    config?: (state: C) => Readonly<Record<string, string>>,
    what?: string,
): ListrTask<C>[] {
    const title = what === undefined ? "Deploy" : `Deploy ${what}`;
    return [
        step(title, title.toLowerCase().replaceAll(" ", "-"), async ({ report, signal }, state) => {
            state.deployed = await deploy({
                stack,
                kubeconfig,
                context,
                adopt,
                config: config?.(state),
                report,
                signal,
            });
        }),
        step("Verify", "verify", async ({ report, signal }, state) => {
            state.verified = await verify({
                cluster: connect(kubeconfig, context),
                apiKey: state.deployed?.platformKey,
                report,
                signal,
            });
        }),
    ];
}
