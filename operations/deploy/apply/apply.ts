import type { KubernetesObject, V1ResourceQuota } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
    ClusterError,
    deleteIfExists,
    FIELD_MANAGER,
    keyOf,
    messageOf,
    readIfExists,
    referenceOf,
    statusOf,
    hasExhaustedRetries,
    type Cluster,
    type Manifest,
} from "../../cluster/connect.ts";
import {
    releaseAwareApply,
    isSharedWithRelease,
    type ReleaseAwareManifest,
} from "./coexistWithRelease.ts";
import { isRoute } from "../../shared/route.ts";
import { isConflictWithDriverOnly } from "../../cluster/fieldOwnership.ts";
import { forEachConcurrently } from "./concurrency.ts";
import { listVolumes } from "./foreign.ts";
import { claimObjects, findDeletable, withUids, type OwnedReference } from "./ownership.ts";
import { writeRecord, type StackRecord } from "./record.ts";
import { deleteUnlessUsed } from "./removal.ts";
import { assertNoData } from "./remove.ts";

export interface Applied {
    /** Objects of the stack. */
    readonly total: number;
    /** Objects that this deploy created or changed. */
    readonly changed: readonly string[];
    /** Objects that were removed from the program and deleted. */
    readonly pruned: readonly string[];
}

export interface ApplyOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly manifests: readonly Manifest[];
    readonly record: StackRecord;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Whether to adopt existing objects of others. Default: false */
    readonly adopt?: boolean;
    /** Called after all checks, before the first write. Default: nothing */
    readonly onBeforeWrite?: () => Promise<void>;
}

/** Order of creation: pods need their accounts, secrets and quotas; a route needs its Services and filters. */
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
/** Kinds whose webhook may be a workload of the stack, and which wait for a Gateway. */
const LAST_TIERS: readonly (readonly string[])[] = [["Issuer", "ClusterIssuer"], ["Certificate"]];
const MAX_ATTEMPTS = 6;
/** A webhook that the deploy has just created responds once its pods run and its CA is known. */
const MAX_WEBHOOK_ATTEMPTS = 30;
const MAX_BACKOFF_MILLISECONDS = 5_000;
/** The release driver may write an object between its read and its apply. */
const MAX_RELEASE_ATTEMPTS = 5;

/**
 * Applies the manifests server-side without force: a field of another owner is reported as a conflict, and fields of the
 * release driver stay its own during a switch. Objects of an earlier deploy that this one lacks are deleted afterwards.
 * The inventory grows before the first write and shrinks after the last delete, so that the next deploy completes one
 * that was killed.
 */
export async function applyStack(options: ApplyOptions): Promise<Applied> {
    const { cluster, stack, manifests, record, report, signal } = options;
    const wanted = await claimObjects(options);
    const kept = new Set(wanted.map(keyOf));
    const dropped = record.inventory.filter((reference) => !kept.has(keyOf(reference)));
    const deletable = await findDeletable(cluster, dropped, record.createdAt);
    const namespaces = deletable.ours.filter(({ kind }) => kind === "Namespace");
    assertNoData(
        stack,
        await listVolumes(
            cluster,
            namespaces.map(({ name }) => name),
        ),
    );
    await options.onBeforeWrite?.();
    const inventory = mergeReferences(record.inventory, wanted);
    const grown = await writeRecord(cluster, stack, { ...record, inventory });

    const namespace = manifests.find(isRoute)?.metadata.namespace;
    const resolve = releaseAwareApply({ cluster, stack, namespace, report });
    const changed: string[] = [];
    for (const tier of tiersOf(manifests)) {
        signal?.throwIfAborted();
        await forEachConcurrently(tier, async (manifest) => {
            const key = keyOf(referenceOf(manifest));
            if (await applyOne(cluster, manifest, resolve)) {
                changed.push(key);
                report(`applied ${key}`);
            }
        });
        await waitForQuotaStatus(cluster, tier);
    }

    await forEachConcurrently(deletable.ours, async (entry) => {
        await deleteUnlessUsed(cluster, entry, report);
        report(`pruned ${keyOf(entry)}`);
    });
    for (const entry of deletable.others) {
        report(
            `${keyOf(entry)} is no longer declared and stays: the stack did not provably create it`,
        );
    }
    await writeRecord(cluster, stack, { ...grown, inventory: await withUids(cluster, wanted) });
    return { total: manifests.length, changed, pruned: deletable.ours.map(keyOf) };
}

/** Groups manifests by the order of creation; other kinds come before LAST_TIERS. */
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

/** Merges both lists, each object once, with the API version of the newer list. */
export function mergeReferences(
    before: readonly OwnedReference[],
    after: readonly OwnedReference[],
): OwnedReference[] {
    return [
        ...new Map(
            [...before, ...after].map((reference) => [keyOf(reference), reference]),
        ).values(),
    ];
}

/** @returns whether the object was created or changed */
async function applyOne(
    cluster: Cluster,
    manifest: Manifest,
    resolve: ReleaseAwareManifest,
): Promise<boolean> {
    const reference = referenceOf(manifest);
    for (let attempt = 1; ; attempt += 1) {
        const before = await readIfExists<Manifest>(cluster, reference);
        const isShared = before !== undefined && isSharedWithRelease(manifest);
        const wanted = isShared ? await resolve(manifest, before) : manifest;
        try {
            const after = await patch(cluster, wanted);
            return (
                !before ||
                !isDeepStrictEqual(withoutServerFields(before), withoutServerFields(after))
            );
        } catch (error) {
            if (isShared && isConflictWithDriverOnly(error) && attempt < MAX_RELEASE_ATTEMPTS)
                continue;
            // A Job's template is immutable; the Job is idempotent, so it is recreated.
            if (statusOf(error) === 422 && manifest.kind === "Job" && before) {
                await deleteIfExists(cluster, reference);
                await patch(cluster, manifest);
                return true;
            }
            throw toClusterError(error, manifest);
        }
    }
}

/**
 * The object without fields that the server writes: controllers write the status at any time, and an apply without
 * changes may still update a time in managedFields.
 */
function withoutServerFields(object: KubernetesObject): object {
    const metadata = { ...object.metadata, managedFields: undefined, resourceVersion: undefined };
    return { ...object, status: undefined, metadata };
}

async function patch(cluster: Cluster, manifest: Manifest): Promise<Manifest> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await cluster.objects.apply(manifest, { fieldManager: FIELD_MANAGER });
        } catch (error) {
            const attempts = isWebhookFailure(error) ? MAX_WEBHOOK_ATTEMPTS : MAX_ATTEMPTS;
            if (attempt >= attempts || !isTransient(error)) throw error;
            await delay(Math.min(100 * 2 ** attempt, MAX_BACKOFF_MILLISECONDS));
        }
    }
}

/**
 * Whether an error is worth a retry: a terminating namespace, a starting API server, a webhook that is not ready. Responses
 * with Retry-After have been retried already.
 */
function isTransient(error: unknown): boolean {
    const status = statusOf(error);
    if (status === undefined) return true;
    if (status === 403) return messageOf(error).includes("because it is being terminated");
    return (status === 429 || status >= 500) && !hasExhaustedRetries(error);
}

function isWebhookFailure(error: unknown): boolean {
    return messageOf(error).includes("failed calling webhook");
}

function toClusterError(error: unknown, manifest: Manifest): ClusterError {
    const key = keyOf(referenceOf(manifest));
    const message = messageOf(error);
    const status = statusOf(error);
    if (isConflictWithDriverOnly(error)) {
        return new ClusterError(
            `${key} changes more than weights or floor during a switch, and the release driver ` +
                `owns these fields: ${message}\nDeploy again after the switch (make status), or roll it back ` +
                "first (make rollback).",
        );
    }
    if (status === 409) {
        return new ClusterError(
            `${key} has fields of another owner, which are not overwritten: ${message}\n` +
                "Remove the field there, or change the stack's config to match it.",
        );
    }
    if (status === 404) {
        return new ClusterError(
            `${key}: the cluster does not know ${manifest.apiVersion} ${manifest.kind}. ` +
                "Install what defines that kind (Gateway API, cert-manager, …), " +
                "or disable the feature that needs it in the stack's config.",
        );
    }
    if (status === 422 && /immutable|forbidden: updates to/.test(message)) {
        return new ClusterError(
            `${key}: an immutable field changed: ${message}\n` +
                "Delete the object when its interruption is acceptable, then deploy again.",
        );
    }
    return new ClusterError(`${key}: ${message}`);
}

/** Waits until quotas have a status: until then pods are rejected, and their owner backs off. */
async function waitForQuotaStatus(cluster: Cluster, tier: readonly Manifest[]): Promise<void> {
    for (const quota of tier.filter(({ kind }) => kind === "ResourceQuota")) {
        for (let attempt = 0; attempt < 50; attempt += 1) {
            const now = await readIfExists<V1ResourceQuota>(cluster, referenceOf(quota));
            if (now?.status?.hard) break;
            await delay(100);
        }
    }
}
