import type { KubernetesObject, V1ResourceQuota } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
    ClusterError,
    deleteOne,
    FIELD_MANAGER,
    keyOf,
    messageOf,
    readIfExists,
    referenceOf,
    statusOf,
    wasRetried,
    type Cluster,
    type Manifest,
} from "../../cluster/connect.ts";
import { besideRelease, isShared, type Beside } from "./coexistWithRelease.ts";
import { isRoute } from "../../shared/route.ts";
import { byDriverAlone } from "../../cluster/fieldOwnership.ts";
import { eachOf } from "./concurrency.ts";
import { volumesIn } from "./foreign.ts";
import { claimObjects, deletableOf, withUids, type OwnedReference } from "./ownership.ts";
import { writeRecord, type StackRecord } from "./record.ts";
import { deleteUnlessUsed } from "./removal.ts";
import { refuseData } from "./remove.ts";

export interface Applied {
    /** Objects of the stack. */
    readonly total: number;
    /** Objects that this deploy created or changed. */
    readonly changed: readonly string[];
    /** Objects that left the program and were deleted. */
    readonly pruned: readonly string[];
}

export interface ApplyOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly manifests: readonly Manifest[];
    readonly record: StackRecord;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
    /** Whether existing objects of others are taken over. Default: false */
    readonly adopt?: boolean;
    /** Is called before the first write, once nothing speaks against the deploy. Default: nothing */
    readonly onClaimed?: () => Promise<void>;
}

/** What must exist before what: pods want their accounts, secrets and quotas; a route its Services and filters. */
const TIERS: readonly (readonly string[])[] = [
    ["Namespace", "CustomResourceDefinition", "StorageClass", "PriorityClass"],
    ["ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Role", "ClusterRole"],
    ["ValidatingAdmissionPolicy"],
    [
        "ValidatingAdmissionPolicyBinding",
        "Secret",
        "ConfigMap",
        "RoleBinding",
        "ClusterRoleBinding",
        "PersistentVolumeClaim",
    ],
    ["Service", "PodDisruptionBudget", "Middleware"],
    ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"],
];
/** What a webhook checks that a workload of the stack may serve, and that waits for a Gateway. */
const LAST_TIERS: readonly (readonly string[])[] = [["Issuer", "ClusterIssuer"], ["Certificate"]];
const ATTEMPTS = 6;
/** A webhook that the deploy has just brought answers once its pods run and its authority is known. */
const WEBHOOK_ATTEMPTS = 30;
const LONGEST_PAUSE_MILLISECONDS = 5_000;
/** Between reading an object and applying it the release driver may write it. */
const RELEASE_ATTEMPTS = 5;

/**
 * Applies the manifests server-side, without force: a field that somebody else owns is a conflict that
 * is reported, not overwritten; what the release driver owns is its own for as long as it needs it. What an earlier deploy had and this one has not is deleted afterwards.
 * The inventory grows before the first write and shrinks after the last delete, so that a deploy killed
 * in between is finished by the next one.
 */
export async function applyStack(options: ApplyOptions): Promise<Applied> {
    const { cluster, stack, manifests, record, report, signal } = options;
    const wanted = await claimObjects(options);
    const kept = new Set(wanted.map(keyOf));
    const gone = record.inventory.filter((reference) => !kept.has(keyOf(reference)));
    const left = await deletableOf(cluster, gone, record.since);
    const namespaces = left.ours.filter(({ kind }) => kind === "Namespace");
    refuseData(
        stack,
        await volumesIn(
            cluster,
            namespaces.map(({ name }) => name),
        ),
    );
    await options.onClaimed?.();
    const inventory = union(record.inventory, wanted);
    const grown = await writeRecord(cluster, stack, { ...record, inventory });

    const namespace = manifests.find(isRoute)?.metadata.namespace;
    const beside = besideRelease({ cluster, stack, namespace, report });
    const changed: string[] = [];
    for (const tier of tiersOf(manifests)) {
        signal?.throwIfAborted();
        await eachOf(tier, async (manifest) => {
            const key = keyOf(referenceOf(manifest));
            if (await applyOne(cluster, manifest, beside)) {
                changed.push(key);
                report(`applied ${key}`);
            }
        });
        await quotasCounted(cluster, tier);
    }

    await eachOf(left.ours, async (entry) => {
        await deleteUnlessUsed(cluster, entry, report);
        report(`pruned ${keyOf(entry)}`);
    });
    for (const entry of left.others) {
        report(`${keyOf(entry)} left the program and stays: the stack did not provably make it`);
    }
    await writeRecord(cluster, stack, { ...grown, inventory: await withUids(cluster, wanted) });
    return { total: manifests.length, changed, pruned: left.ours.map(keyOf) };
}

/** Manifests in the order in which they can be applied; kinds not named come before LAST_TIERS. */
export function tiersOf(manifests: readonly Manifest[]): Manifest[][] {
    const tiers = [...TIERS, [], ...LAST_TIERS].map((): Manifest[] => []);
    for (const manifest of manifests) tiers[rankOf(manifest)]?.push(manifest);
    return tiers.filter((tier) => tier.length > 0);
}

function rankOf({ kind }: Manifest): number {
    const last = LAST_TIERS.findIndex((kinds) => kinds.includes(kind));
    if (last >= 0) return TIERS.length + 1 + last;
    const rank = TIERS.findIndex((kinds) => kinds.includes(kind));
    return rank < 0 ? TIERS.length : rank;
}

/** References of both lists, each object once, in the newer list's version of its API. */
export function union(
    before: readonly OwnedReference[],
    after: readonly OwnedReference[],
): OwnedReference[] {
    return [
        ...new Map(
            [...before, ...after].map((reference) => [keyOf(reference), reference]),
        ).values(),
    ];
}

/** @returns whether the object was created or changed. */
async function applyOne(cluster: Cluster, manifest: Manifest, beside: Beside): Promise<boolean> {
    const reference = referenceOf(manifest);
    for (let attempt = 1; ; attempt += 1) {
        const before = await readIfExists<Manifest>(cluster, reference);
        const shared = before !== undefined && isShared(manifest);
        const wanted = shared ? await beside(manifest, before) : manifest;
        try {
            const after = await patch(cluster, wanted);
            return !before || !isDeepStrictEqual(declared(before), declared(after));
        } catch (error) {
            if (shared && byDriverAlone(error) && attempt < RELEASE_ATTEMPTS) continue;
            // A Job's template cannot change; it is done or can be done again, so it is made anew.
            if (statusOf(error) === 422 && manifest.kind === "Job" && before) {
                await deleteOne(cluster, reference);
                await patch(cluster, manifest);
                return true;
            }
            throw explain(error, manifest);
        }
    }
}

/**
 * What was asked for, without what the server writes about it: controllers write status at any time, and
 * an apply that changes nothing may still write a new time into managedFields.
 */
function declared(object: KubernetesObject): object {
    const metadata = { ...object.metadata, managedFields: undefined, resourceVersion: undefined };
    return { ...object, status: undefined, metadata };
}

async function patch(cluster: Cluster, manifest: Manifest): Promise<Manifest> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await cluster.objects.apply(manifest, { fieldManager: FIELD_MANAGER });
        } catch (error) {
            const attempts = isOfWebhook(error) ? WEBHOOK_ATTEMPTS : ATTEMPTS;
            if (attempt >= attempts || !isPassing(error)) throw error;
            await delay(Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MILLISECONDS));
        }
    }
}

/**
 * A namespace still going away, an API server starting, a webhook not up yet: worth another try. What said
 * when to come again has been tried often enough.
 */
function isPassing(error: unknown): boolean {
    const status = statusOf(error);
    if (status === undefined) return true;
    if (status === 403) return messageOf(error).includes("because it is being terminated");
    return (status === 429 || status >= 500) && !wasRetried(error);
}

function isOfWebhook(error: unknown): boolean {
    return messageOf(error).includes("failed calling webhook");
}

function explain(error: unknown, manifest: Manifest): ClusterError {
    const key = keyOf(referenceOf(manifest));
    const message = messageOf(error);
    const status = statusOf(error);
    if (byDriverAlone(error)) {
        return new ClusterError(
            `${key} changes more than weights or floor while a switch is under way, and the release driver ` +
                `holds it: ${message}\nDeploy again when the switch is over (make status), or take it ` +
                "back first (make rollback).",
        );
    }
    if (status === 409) {
        return new ClusterError(
            `${key} has fields that somebody else set, and they are not overwritten: ${message}\n` +
                "Give the field up there, or bring the stack's config in line with it.",
        );
    }
    if (status === 404) {
        return new ClusterError(
            `${key}: the cluster does not know ${manifest.apiVersion} ${manifest.kind}. ` +
                "Install what defines that kind (Gateway API, cert-manager, …), " +
                "or switch the part that needs it off in the stack's config.",
        );
    }
    if (status === 422 && /immutable|forbidden: updates to/.test(message)) {
        return new ClusterError(
            `${key}: a field changed that Kubernetes never changes in place: ${message}\n` +
                "Delete the object when its interruption is acceptable, then deploy again.",
        );
    }
    return new ClusterError(`${key}: ${message}`);
}

/** A pod is refused while its namespace's quota has not been counted once, and its owner backs off. */
async function quotasCounted(cluster: Cluster, tier: readonly Manifest[]): Promise<void> {
    for (const quota of tier.filter(({ kind }) => kind === "ResourceQuota")) {
        for (let attempt = 0; attempt < 50; attempt += 1) {
            const now = await readIfExists<V1ResourceQuota>(cluster, referenceOf(quota));
            if (now?.status?.hard) break;
            await delay(100);
        }
    }
}
