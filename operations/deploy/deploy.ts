import { GENERATED_SECRETS, NAMESPACES, invalidValue } from "@property-search/contract";
import type { KubernetesObject } from "@kubernetes/client-node";
import { applyStack } from "./apply/apply.ts";
import { refuseSecondCertManager } from "./apply/certManager.ts";
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
import { requireAll } from "./apply/requirements.ts";
import { createRecord, readRecord, rememberConfig, type StackRecord } from "./apply/record.ts";
import { bind, nameCluster } from "./binding.ts";
import { connectStack } from "./connectStack.ts";
import { missingForPulumi } from "./pulumi/installed.ts";
import { stateFolderOf } from "./pulumi/workspace.ts";
import { stuckPods } from "./pulumi/stuckPods.ts";
import { pulumiUp } from "./pulumi/up.ts";
import { settleAll } from "./apply/coexistWithRelease.ts";
import { readSwitch } from "../shared/releaseRecord.ts";
import { render } from "../stack/render.ts";
import { completeSecrets } from "../stack/secrets.ts";
import { growVolumes, prepareVolumes } from "./volumes.ts";

export interface DeployOptions {
    readonly stack: string;
    /** Kubeconfig file. Default: KUBECONFIG, then ~/.kube/config */
    readonly kubeconfig?: string;
    /** Context of the kubeconfig. Default: its current one */
    readonly context?: string;
    /**
     * Config overrides, by key without the project's name, such as `blue.image`. Default: those of the last deploy
     */
    readonly config?: Readonly<Record<string, string>>;
    /** Receives one line per event, without secrets. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
    /** Timeout for readiness, in seconds. Default: 300 */
    readonly timeout?: number;
    /** Whether to adopt objects of others, which apply then never deletes. Default: whether ADOPT is 1 */
    readonly adopt?: boolean;
}

export interface Deployed {
    readonly path: "pulumi" | "apply";
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
export async function deploy(options: DeployOptions): Promise<Deployed> {
    const started = Date.now();
    const { stack, report } = options;
    requestedPath();
    const cluster = await connectStack(options);
    const record = await readRecord(cluster, stack);
    const { path, reason } = await choosePath(cluster, stack, record);
    report(`deploying with ${path === "pulumi" ? "pulumi up" : "render and apply"}: ${reason}`);
    const { config = record?.config ?? {}, adopt = process.env.ADOPT === "1" } = options;
    const given = { ...options, config, adopt };
    const done =
        path === "pulumi"
            ? await byPulumi(cluster, record, given)
            : await byApply(cluster, record, given);
    return { path, reason, ...done, seconds: (Date.now() - started) / 1000 };
}

/** Method that DEPLOY selects. @throws UserError for an invalid value */
export function requestedPath(): "pulumi" | "apply" | undefined {
    const { DEPLOY: asked = "" } = process.env;
    if (asked === "") return undefined;
    if (asked === "pulumi" || asked === "apply") return asked;
    throw invalidValue("DEPLOY", asked, "pulumi, apply, or not set");
}

async function choosePath(
    cluster: Cluster,
    stack: string,
    record: StackRecord | undefined,
): Promise<Pick<Deployed, "path" | "reason">> {
    const asked = requestedPath();
    if (record && record.inventory.length > 0) {
        if (asked === "pulumi") {
            throw new ClusterError(
                `DEPLOY is pulumi, but stack ${stack} was deployed to this cluster by apply, and ` +
                    "Pulumi's state would lack its objects. Remove it first (make undeploy).",
            );
        }
        return { path: "apply", reason: "the stack was deployed by apply before" };
    }
    const owner = await otherOwner(cluster);
    if (owner && asked === "apply") {
        throw new ClusterError(
            `DEPLOY is apply, but namespace ${NAMESPACES.edge} belongs to ${owner}; ` +
                "deploy with the tool that created it, or remove that deployment first.",
        );
    }
    if (asked === "apply") return { path: "apply", reason: "DEPLOY=apply selects it" };
    const missing = await missingForPulumi();
    if (missing === undefined) {
        return { path: "pulumi", reason: "the CLI and the Kubernetes plugin are installed" };
    }
    if (asked === "pulumi") throw new ClusterError(`DEPLOY is pulumi, but ${missing}.`);
    if (owner) {
        throw new ClusterError(
            `namespace ${NAMESPACES.edge} belongs to ${owner}, and ${missing}; ` +
                "deploy with the tool that created it, or remove that deployment first.",
        );
    }
    return { path: "apply", reason: missing };
}

/** Finds another field manager of the program's namespaces on this cluster. */
async function otherOwner(cluster: Cluster): Promise<string | undefined> {
    const namespace = await readIfExists<KubernetesObject>(cluster, {
        apiVersion: "v1",
        kind: "Namespace",
        name: NAMESPACES.edge,
    });
    const managers = namespace ? ownersOf(namespace, []) : [];
    return managers.includes(FIELD_MANAGER) ? undefined : managers[0];
}

type Given = DeployOptions & Pick<StackRecord, "config"> & { readonly adopt: boolean };

async function byApply(
    cluster: Cluster,
    known: StackRecord | undefined,
    { stack, config, report, signal, timeout, adopt }: Given,
): Promise<Pick<Deployed, "summary" | "platformKey">> {
    const { secrets, generated } = completeSecrets(known?.secrets ?? {});
    if (generated.length > 0) report(`generated ${generated.join(", ")}`);
    const secretsHold = known && generated.length === 0;
    const kept = secretsHold ? known : await createRecord(cluster, stack, secrets);
    const record = { ...kept, config };
    const manifests = await render(stack, { ...config, ...record.secrets }, report);
    report(`rendered ${manifests.length} objects`);
    await requireAll(cluster, manifests);
    await refuseSecondCertManager(cluster, manifests, record);
    await prepareVolumes(cluster, manifests, report);
    const applied = await applyStack({
        cluster,
        stack,
        manifests,
        record,
        report,
        adopt,
        // Not before the checks: a rejected deploy must not bind the stack to this cluster.
        onClaimed: () => bind({ cluster, stack, report }),
        ...(signal && { signal }),
    });
    await waitReady({
        cluster,
        manifests,
        timeout: timeout ?? 300,
        report,
        ...(signal && { signal }),
    });
    await growVolumes(cluster, manifests, report);
    await confirm(cluster, manifests, report);
    const { changed, pruned, total } = applied;
    return {
        summary: `${total} objects, ${changed.length} changed, ${pruned.length} pruned, all ready`,
        platformKey: record.secrets["tenants.platformKey"],
    };
}

async function byPulumi(
    cluster: Cluster,
    record: StackRecord | undefined,
    { stack, config, report, signal, adopt }: Given,
): Promise<Pick<Deployed, "summary" | "platformKey">> {
    const { declared, ...done } = await pulumiUp({
        stack,
        kubeconfig: cluster.exportKubeconfig(),
        config,
        stateFolder: await stateFolderOf(cluster),
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
            await nameCluster({ cluster, stack, file, report: () => undefined });
            // Not before the checks: the next deploy would use a rejected config.
            await rememberConfig(cluster, stack, config);
        },
        onRendered: async (manifests, left) => {
            await requireAll(cluster, manifests, left);
            await prepareVolumes(cluster, manifests, report);
        },
        stuck: (workloads) => stuckPods(cluster, workloads),
        isSwitching: (configured) => settleAll({ cluster, stack, report }, configured),
        adopt,
        report,
        ...(signal && { signal }),
    });
    await growVolumes(cluster, declared, report);
    await confirm(cluster, declared, report);
    return done;
}

/** Reports fields that were lost on the cluster, for both deploy methods. */
async function confirm(
    cluster: Cluster,
    manifests: readonly Manifest[],
    report: (line: string) => void,
): Promise<void> {
    const note = await readSwitch(cluster);
    const count = await confirmDeployed({ cluster, manifests, note });
    report(`each declared field of ${count} objects is on the cluster`);
}
