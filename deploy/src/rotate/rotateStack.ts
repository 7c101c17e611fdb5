import { OVERLAPPING_SECRETS, type OverlappingSecret } from "@property-search/contract";
import { text } from "node:stream/consumers";
import { ClusterError, connect } from "../apply/cluster.ts";
import { isApplied } from "../apply/record.ts";
import { requireBinding } from "../binding.ts";
import { deploy } from "../deploy.ts";
import { chooseKubeconfig } from "../localCluster.ts";
import { missingForPulumi } from "../pulumi/installed.ts";
import { awaitAnswers, checkersOf } from "./acceptance.ts";
import { GIVEN_SECRETS, rotate } from "./steps.ts";
import { pulumiStore, recordStore, type SecretStore } from "./store.ts";

export interface RotateOptions {
    readonly stack: string;
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly secret: string;
    readonly finish: boolean;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

/** Replaces a secret of a deployed stack, by the way of deploying that brought the stack. */
export async function rotateStack(options: RotateOptions): Promise<void> {
    const { stack, secret, finish, report, signal, context } = options;
    const kubeconfig = chooseKubeconfig(options);
    const cluster = connect(kubeconfig, context);
    const target = {
        ...(kubeconfig !== undefined && { kubeconfig }),
        ...(context !== undefined && { context }),
    };
    const storing = { cluster, stack, report };
    await requireBinding(storing);
    // Before anything is written: a Redis of somebody else's knows nothing of the stack's passwords.
    if (secret in OVERLAPPING_SECRETS) await checkersOf(cluster, secret as OverlappingSecret);
    const store = (await isApplied(cluster, stack))
        ? recordStore(storing)
        : await openPulumiStore(storing);
    await rotate({
        secret,
        value: GIVEN_SECRETS.some((one) => one === secret) ? await standardInput() : undefined,
        finish,
        store,
        deploy: async () => {
            const { summary } = await deploy({
                ...target,
                stack,
                report,
                ...(signal && { signal }),
            });
            report(summary);
        },
        settled: (one, value, answer) => {
            report(`waiting until every pod has ${answer} it`);
            return awaitAnswers(cluster, one, value, answer, signal);
        },
        report,
    });
}

async function openPulumiStore(storing: Parameters<typeof pulumiStore>[0]): Promise<SecretStore> {
    const missing = await missingForPulumi();
    if (missing === undefined) return pulumiStore(storing);
    throw new ClusterError(
        `stack ${storing.stack} was not deployed to ${storing.cluster.context} by apply, and ${missing}`,
    );
}

async function standardInput(): Promise<string> {
    if (process.stdin.isTTY) {
        throw new ClusterError(
            "the new value comes by standard input: make rotate SECRET=… STACK=… < file",
        );
    }
    return (await text(process.stdin)).trim();
}
