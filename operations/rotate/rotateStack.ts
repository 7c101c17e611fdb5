import { OVERLAPPING_SECRETS, type OverlappingSecret } from "@property-search/contract";
import { ClusterError } from "../cluster/connect.ts";
import { isDeployedByApply } from "../deploy/apply/record.ts";
import { connectStack } from "../deploy/connectStack.ts";
import { deploy } from "../deploy/deploy.ts";
import { chooseKubeconfig } from "../stack/localCluster.ts";
import { findMissingPrerequisite } from "../deploy/pulumi/installed.ts";
import { waitForAnswers, findCheckers } from "./secretCheckers.ts";
import { checkRotation, rotate } from "./steps.ts";
import { pulumiStore, recordStore, type SecretStore } from "./store.ts";

export interface RotateOptions {
    readonly stack: string;
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly secret: string;
    /** The new value. Default: a generated one */
    readonly value: string | undefined;
    readonly finish: boolean;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

/** Rotates a secret of a deployed stack, with the stack's deploy method. */
export async function rotateStack(options: RotateOptions): Promise<void> {
    const { stack, secret, value, finish, report, signal, context } = options;
    checkRotation({ secret, value, finish });
    const cluster = await connectStack(options);
    const kubeconfig = chooseKubeconfig(options);
    const storeOptions = { cluster, stack, report };
    // Before anything is written: an external Redis does not use the stack's passwords.
    if (secret in OVERLAPPING_SECRETS) await findCheckers(cluster, secret as OverlappingSecret);
    const store = (await isDeployedByApply(cluster, stack))
        ? recordStore(storeOptions)
        : await openPulumiStore(storeOptions);
    await rotate({
        secret,
        value,
        finish,
        store,
        deploy: async () => {
            const { summary } = await deploy({ stack, kubeconfig, context, report, signal });
            report(summary);
        },
        waitForAnswers: (one, value, answer) => {
            report(`waiting until every pod has ${answer} it`);
            return waitForAnswers(cluster, one, value, answer, signal);
        },
        report,
    });
}

async function openPulumiStore(storing: Parameters<typeof pulumiStore>[0]): Promise<SecretStore> {
    const missing = await findMissingPrerequisite();
    if (missing === undefined) return pulumiStore(storing);
    throw new ClusterError(
        `stack ${storing.stack} was not deployed to ${storing.cluster.context} by apply, and ${missing}`,
    );
}
