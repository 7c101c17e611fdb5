import { connect } from "@property-search/operations/cluster/connect.ts";
import { deploy } from "@property-search/operations/deploy/deploy.ts";
import { verify } from "@property-search/operations/deploy/verify.ts";
import type { ListrTask } from "listr2";
import type { Steps } from "../tasks.ts";
import type { Made } from "./plan.ts";

/** A stack and the cluster it goes to. */
export interface Destination {
    readonly stack: string;
    /** Default: KUBECONFIG, then ~/.kube/config. */
    readonly kubeconfig?: string;
    /** Default: the kubeconfig's current one. */
    readonly context?: string;
    /** Whether the cluster is of make up, where the alert inbox keeps a namespace that the stack has left. */
    readonly adopt?: boolean;
}

/**
 * Deploys the stack and uses it as a client would.
 *
 * @param config values over the stack's. Default: those of the deploy before
 * @param what a part of the stack, for the step's title.
 */
export function deploying<C extends Made>(
    step: Steps<C>,
    { stack, kubeconfig, context, adopt }: Destination,
    config?: (made: C) => Readonly<Record<string, string>>,
    what?: string,
): ListrTask<C>[] {
    const title = what === undefined ? "Deploy" : `Deploy ${what}`;
    return [
        step(
            title,
            title.toLowerCase().replaceAll(" ", "-"),
            async ({ say: report, signal }, made) => {
                made.deployed = await deploy({
                    stack,
                    ...(kubeconfig !== undefined && { kubeconfig }),
                    ...(context !== undefined && { context }),
                    ...(adopt !== undefined && { adopt }),
                    ...(config && { config: config(made) }),
                    report,
                    signal,
                });
            },
        ),
        step("Verify", "verify", async ({ say: report, signal }, made) => {
            made.verified = await verify({
                cluster: connect(kubeconfig, context),
                apiKey: made.deployed?.platformKey,
                report,
                signal,
            });
        }),
    ];
}
