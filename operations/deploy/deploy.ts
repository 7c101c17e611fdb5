import { GENERATED_SECRETS, NAMESPACES, invalidValue } from "@property-search/contract";
import type { KubernetesObject } from "@kubernetes/client-node";
import { applyStack } from "./apply/apply.ts";
import { assertNoOtherCertManager } from "./apply/certManager.ts";
import {
    ClusterError,
    FIELD_MANAGER,
    readIfExists,
    type Cluster,
    type Manifest,
} from "../cluster/connect.ts";
import { ownersOf } from "../cluster/fieldOwnership.ts";
import { confirmDeployed } from "./apply/confirm.ts";
import { waitReady } from "./apply/ready.ts";
import { checkRequirements } from "./apply/requirements.ts";
import { createRecord, readRecord, recordConfig, type StackRecord } from "./apply/record.ts";
import { bind, writeClusterToConfig } from "./binding.ts";
import { connectStack } from "./connectStack.ts";
import { findMissingPrerequisite } from "./pulumi/installed.ts";
import { stateFolderFor } from "./pulumi/workspace.ts";
import { findStuckPods } from "./pulumi/stuckPods.ts";
import { pulumiUp } from "./pulumi/up.ts";
import { reclaimFromRelease } from "./apply/coexistWithRelease.ts";
import { readSwitch } from "../shared/releaseRecord.ts";
import { render } from "../stack/render.ts";
import { completeSecrets } from "../stack/secrets.ts";
import { expandVolumes, prepareVolumes } from "./volumes.ts";

export interface DeployOptions {
    readonly stack: string;
    /** Kubeconfig file. Default: KUBECONFIG, then ~/.kube/config */
    readonly kubeconfig?: string | undefined;
    /** Context of the kubeconfig. Default: its current one */
    readonly context?: string | undefined;
    /**
     * Config overrides, by key without the project's name, such as `blue.image`. Default: those of the last deploy
     */
    readonly config?: Readonly<Record<string, string>> | undefined;
    /** Receives one line per event, without secrets. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Timeout for readiness, in seconds. Default: 300 */
    readonly timeoutSeconds?: number;
    /** Whether to adopt objects of others, which apply then never deletes. Default: whether ADOPT is 1 */
    readonly adopt?: boolean | undefined;
}

export interface DeployResult {
    readonly method: "pulumi" | "apply";
    /** Reason for this method. */
    readonly reason: string;
    /** Summary of the changes. */
    readonly summary: string;
    readonly seconds: number;
    /** API key of the tenant "platform". Must not be printed. */
    readonly platformKey: string | undefined;
}

/**
 * Deploys a stack to a cluster: with `pulumi up` if the CLI and the Kubernetes plugin are installed, otherwise by rendering
 * the same program and applying it server-side. DEPLOY=pulumi or DEPLOY=apply selects a method.
 *
 * @throws ClusterError, RenderError with a message for the user
 */
export async function deploy(options: DeployOptions): Promise<DeployResult> {
    const started = Date.now();
    const { stack, report } = options;
    requestedMethod();
    const cluster = await connectStack(options);
    const record = await readRecord(cluster, stack);
    const { method, reason } = await chooseMethod(cluster, stack, record);
    report(`deploying with ${method === "pulumi" ? "pulumi up" : "render and apply"}: ${reason}`);
    const { config = record?.config ?? {}, adopt = process.env.ADOPT === "1" } = options;
    const resolved = { ...options, config, adopt };
    const result =
        method === "pulumi"
            ? await deployWithPulumi(cluster, record, resolved)
            : await deployWithApply(cluster, record, resolved);
    return { method, reason, ...result, seconds: (Date.now() - started) / 1000 };
}

/** Method that DEPLOY selects. @throws UserError for an invalid value */
export function requestedMethod(): "pulumi" | "apply" | undefined {
    const { DEPLOY: requested = "" } = process.env;
    if (requested === "") return undefined;
    if (requested === "pulumi" || requested === "apply") return requested;
    throw invalidValue("DEPLOY", requested, "pulumi, apply, or not set");
}

async function chooseMethod(
    cluster: Cluster,
    stack: string,
    record: StackRecord | undefined,
): Promise<Pick<DeployResult, "method" | "reason">> {
    const requested = requestedMethod();
    if (record && record.inventory.length > 0) {
        if (requested === "pulumi") {
            throw new ClusterError(
                `DEPLOY is pulumi, but stack ${stack} was deployed to this cluster by apply, and ` +
                    "Pulumi's state would lack its objects. Remove it first (make undeploy).",
            );
        }
        return { method: "apply", reason: "the stack was deployed by apply before" };
    }
    const owner = await findOtherOwner(cluster);
    if (owner && requested === "apply") {
        throw new ClusterError(
            `DEPLOY is apply, but namespace ${NAMESPACES.edge} belongs to ${owner}; ` +
                "deploy with the tool that created it, or remove that deployment first.",
        );
    }
    if (requested === "apply") return { method: "apply", reason: "DEPLOY=apply selects it" };
    const missing = await findMissingPrerequisite();
    if (missing === undefined) {
        return { method: "pulumi", reason: "the CLI and the Kubernetes plugin are installed" };
    }
    if (requested === "pulumi") throw new ClusterError(`DEPLOY is pulumi, but ${missing}.`);
    if (owner) {
        throw new ClusterError(
            `namespace ${NAMESPACES.edge} belongs to ${owner}, and ${missing}; ` +
                "deploy with the tool that created it, or remove that deployment first.",
        );
    }
    return { method: "apply", reason: missing };
}

/** Finds another field manager of the program's namespaces on this cluster. */
async function findOtherOwner(cluster: Cluster): Promise<string | undefined> {
    const namespace = await readIfExists<KubernetesObject>(cluster, {
        apiVersion: "v1",
        kind: "Namespace",
        name: NAMESPACES.edge,
    });
    const managers = namespace ? ownersOf(namespace, []) : [];
    return managers.includes(FIELD_MANAGER) ? undefined : managers[0];
}

type ResolvedOptions = DeployOptions & Pick<StackRecord, "config"> & { readonly adopt: boolean };

async function deployWithApply(
    cluster: Cluster,
    known: StackRecord | undefined,
    { stack, config, report, signal, timeoutSeconds, adopt }: ResolvedOptions,
): Promise<Pick<DeployResult, "summary" | "platformKey">> {
    const { secrets, generated } = completeSecrets(known?.secrets ?? {});
    if (generated.length > 0) report(`generated ${generated.join(", ")}`);
    const hasAllSecrets = known && generated.length === 0;
    const kept = hasAllSecrets ? known : await createRecord(cluster, stack, secrets);
    const record = { ...kept, config };
    const manifests = await render(stack, { ...config, ...record.secrets }, report);
    report(`rendered ${manifests.length} objects`);
    await checkRequirements(cluster, manifests);
    await assertNoOtherCertManager(cluster, manifests, record);
    await prepareVolumes(cluster, manifests, report);
    const applied = await applyStack({
        cluster,
        stack,
        manifests,
        record,
        report,
        adopt,
        // Not before the checks: a rejected deploy must not bind the stack to this cluster.
        onBeforeWrite: () => bind({ cluster, stack, report }),
        signal,
    });
    await waitReady({
        cluster,
        manifests,
        timeoutSeconds: timeoutSeconds ?? 300,
        report,
        signal,
    });
    await expandVolumes(cluster, manifests, report);
    await confirm(cluster, manifests, report);
    const { changed, pruned, total } = applied;
    return {
        summary: `${total} objects, ${changed.length} changed, ${pruned.length} pruned, all ready`,
        platformKey: record.secrets["tenants.platformKey"],
    };
}

async function deployWithPulumi(
    cluster: Cluster,
    record: StackRecord | undefined,
    { stack, config, report, signal, adopt }: ResolvedOptions,
): Promise<Pick<DeployResult, "summary" | "platformKey">> {
    const { declared, ...result } = await pulumiUp({
        stack,
        kubeconfig: cluster.exportKubeconfig(),
        config,
        stateFolder: await stateFolderFor(cluster),
        knownSecrets: Object.fromEntries(
            Object.entries(record?.secrets ?? {}).filter(([key]) =>
                GENERATED_SECRETS.some((known) => known === key),
            ),
        ),
        exists: async (object) => (await readIfExists(cluster, object)) !== undefined,
        onAccepted: async (file) => {
            // Not before the checks: a rejected deploy must not bind the stack. Not later: the provider's context must
            // not change, not even in the copy of the stack's file.
            await bind({ cluster, stack, report });
            await writeClusterToConfig({ cluster, stack, file, report: () => undefined });
            // Not before the checks: the next deploy would use a rejected config.
            await recordConfig(cluster, stack, config);
        },
        onRendered: async (manifests, notRendered) => {
            await checkRequirements(cluster, manifests, notRendered);
            await prepareVolumes(cluster, manifests, report);
        },
        findStuckPods: (workloads) => findStuckPods(cluster, workloads),
        isSwitching: (configured) => reclaimFromRelease({ cluster, stack, report }, configured),
        adopt,
        report,
        signal,
    });
    await expandVolumes(cluster, declared, report);
    await confirm(cluster, declared, report);
    return result;
}

/** Reports fields that were lost on the cluster, for both deploy methods. */
async function confirm(
    cluster: Cluster,
    manifests: readonly Manifest[],
    report: (line: string) => void,
): Promise<void> {
    const lastSwitch = await readSwitch(cluster);
    const count = await confirmDeployed({ cluster, manifests, lastSwitch });
    report(`each declared field of ${count} objects is on the cluster`);
}
