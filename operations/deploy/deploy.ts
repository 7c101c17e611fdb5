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
    /** Kubeconfig file; default: KUBECONFIG, then ~/.kube/config. */
    readonly kubeconfig?: string;
    /** Context of the kubeconfig; default: its current one. */
    readonly context?: string;
    /**
     * Config values over the stack's, by key without the project's name, such as `blue.image`. Default: those
     * of the deploy before this one.
     */
    readonly config?: Readonly<Record<string, string>>;
    /** Gets one line for each thing that happened. Never a secret. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
    /** Seconds to wait for readiness. Default 300. */
    readonly timeout?: number;
    /** Whether apply takes over objects of others, which are then never deleted. Default: whether ADOPT is 1. */
    readonly adopt?: boolean;
}

export interface Deployed {
    readonly path: "pulumi" | "apply";
    /** Why that path was taken, in one sentence. */
    readonly reason: string;
    /** What the deploy changed, in one sentence. */
    readonly summary: string;
    readonly seconds: number;
    /** API key of the tenant "platform". Not to be printed. */
    readonly platformKey: string | undefined;
}

/**
 * Brings a stack to a cluster: by `pulumi up` where the CLI and the Kubernetes plugin are there,
 * otherwise by rendering the same program and applying it server-side. DEPLOY=pulumi or DEPLOY=apply
 * asks for one of them.
 *
 * @throws ClusterError, RenderError with a sentence for the user.
 */
export async function deploy(options: DeployOptions): Promise<Deployed> {
    const started = Date.now();
    const { stack, report } = options;
    requestedPath();
    const cluster = await connectStack(options);
    const record = await readRecord(cluster, stack);
    const { path, reason } = await choosePath(cluster, stack, record);
    report(`deploying by ${path === "pulumi" ? "pulumi up" : "render and apply"}: ${reason}`);
    const given = { ...options, config: options.config ?? record?.config ?? {} };
    const done =
        path === "pulumi"
            ? await byPulumi(cluster, record, given)
            : await byApply(cluster, record, given);
    return { path, reason, ...done, seconds: (Date.now() - started) / 1000 };
}

/** The way that DEPLOY asks for. @throws UserError where it is none */
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
                `DEPLOY is pulumi, but stack ${stack} was brought to this cluster by apply, and ` +
                    "Pulumi would not know its objects. Remove it first (make undeploy).",
            );
        }
        return { path: "apply", reason: "that is how the stack came to this cluster" };
    }
    const owner = await otherOwner(cluster);
    if (owner && asked === "apply") {
        throw new ClusterError(
            `DEPLOY is apply, but namespace ${NAMESPACES.edge} belongs to ${owner}; ` +
                "deploy with what made it, or remove that deployment first.",
        );
    }
    if (asked === "apply") return { path: "apply", reason: "DEPLOY=apply asks for it" };
    const missing = await missingForPulumi();
    if (missing === undefined) {
        return { path: "pulumi", reason: "the CLI and the Kubernetes plugin are here" };
    }
    if (asked === "pulumi") throw new ClusterError(`DEPLOY is pulumi, but ${missing}.`);
    if (owner) {
        throw new ClusterError(
            `namespace ${NAMESPACES.edge} belongs to ${owner}, and ${missing}; ` +
                "deploy with what made it, or remove that deployment first.",
        );
    }
    return { path: "apply", reason: missing };
}

/** Who else manages the program's namespaces on this cluster, from the fields' managers. */
async function otherOwner(cluster: Cluster): Promise<string | undefined> {
    const namespace = await readIfExists<KubernetesObject>(cluster, {
        apiVersion: "v1",
        kind: "Namespace",
        name: NAMESPACES.edge,
    });
    const managers = namespace ? ownersOf(namespace, []) : [];
    return managers.includes(FIELD_MANAGER) ? undefined : managers[0];
}

type Given = DeployOptions & Pick<StackRecord, "config">;

async function byApply(
    cluster: Cluster,
    known: StackRecord | undefined,
    { stack, config, report, signal, timeout, adopt = process.env.ADOPT === "1" }: Given,
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
        // A cluster that is refused is not to be the stack's: the next deploy goes to another one.
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
    { stack, config, report, signal }: Given,
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
            // Not before: a cluster that is refused is not to be the stack's. Nor later: the provider's context is
            // not to change, in the copy of the stack's file either.
            await bind({ cluster, stack, report });
            await nameCluster({ cluster, stack, file, report: () => undefined });
            // Not before: the next deploy would be given a config that is rejected, too.
            await rememberConfig(cluster, stack, config);
        },
        onRendered: async (manifests, left) => {
            await requireAll(cluster, manifests, left);
            await prepareVolumes(cluster, manifests, report);
        },
        stuck: (workloads) => stuckPods(cluster, workloads),
        isSwitching: (configured) => settleAll({ cluster, stack, report }, configured),
        report,
        ...(signal && { signal }),
    });
    await growVolumes(cluster, declared, report);
    await confirm(cluster, declared, report);
    return done;
}

/** Whatever way the objects came to the cluster: a field that was lost on it is not to be lost in silence. */
async function confirm(
    cluster: Cluster,
    manifests: readonly Manifest[],
    report: (line: string) => void,
): Promise<void> {
    const note = await readSwitch(cluster);
    const count = await confirmDeployed({ cluster, manifests, note });
    report(`each declared field of ${count} objects is on the cluster`);
}
