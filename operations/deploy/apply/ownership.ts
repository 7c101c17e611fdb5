import type { KubernetesObject } from "@kubernetes/client-node";
import { RELEASE } from "@property-search/contract";
import {
    ClusterError,
    FIELD_MANAGER,
    keyOf,
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
    type ObjectReference,
} from "../../cluster/connect.ts";
import { eachOf } from "./concurrency.ts";

/** One object of a stack, and whether the stack may delete it. */
export interface OwnedReference extends ObjectReference {
    /**
     * True: the object did not exist before the stack's first write of it. False: somebody else made it.
     * Absent: written by a version that did not record it.
     */
    readonly created?: boolean;
    /** Of the object that was created; absent until a deploy has ended. */
    readonly uid?: string;
}

/** Managers that write into objects of others after their creation, and create none of a stack's. */
const CONTROLLERS =
    /^(kube-controller-manager|kube-scheduler|kubelet|keda.*|traefik|.*cainjector.*|property-search-local)$/;
/** Objects that a message lists by name. */
const MOST_LISTED = 30;

export interface Claim {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly manifests: readonly Manifest[];
    /** What the cluster remembers of the stack. */
    readonly record: {
        readonly inventory: readonly OwnedReference[];
        /** When the record was made: RFC 3339 in UTC. */
        readonly since?: string;
    };
    /** Whether existing objects of others are taken over; they are never deleted. Default: false */
    readonly adopt?: boolean;
}

/**
 * What a deploy is about to write, each marked by whether it exists already.
 *
 * @throws ClusterError that lists every existing object which the stack's record does not have
 */
export async function claimObjects(options: Claim): Promise<OwnedReference[]> {
    const { cluster, stack, manifests, record, adopt = false } = options;
    const known = new Map(record.inventory.map((entry) => [keyOf(entry), entry]));
    const claimed: OwnedReference[] = [];
    const foreign: string[] = [];
    await eachOf(manifests, async (manifest) => {
        const reference = referenceOf(manifest);
        const key = keyOf(reference);
        const live = await readIfExists<KubernetesObject>(cluster, reference);
        const entry = known.get(key);
        if (!live) claimed.push({ ...reference, created: true });
        else if (entry && isOurs(entry, live, record.since)) {
            claimed.push({ ...reference, created: true, ...uidOf(live) });
        } else if (adopt || (entry && entry.created !== true)) {
            claimed.push({ ...reference, created: false });
        } else foreign.push(key);
    });
    if (foreign.length === 0) return claimed;
    const listed = foreign.sort().slice(0, MOST_LISTED);
    const more = foreign.length - listed.length;
    throw new ClusterError(
        `${foreign.length} objects of stack ${stack} exist on ${cluster.context} already, and this stack has not ` +
            `created them:\n${listed.map((key) => `  - ${key}`).join("\n")}` +
            `${more > 0 ? `\n  - and ${more} more` : ""}\n` +
            "Nothing was changed. Deploy to another cluster, remove them with what made them, or take them over " +
            "by ADOPT=1: they are then written by this stack, and never deleted by it.",
    );
}

/** Entries with the uid of what is on the cluster now, as the proof for a later deletion. */
export async function withUids(
    cluster: Cluster,
    entries: readonly OwnedReference[],
): Promise<OwnedReference[]> {
    const found: OwnedReference[] = [];
    await eachOf(entries, async (entry) => {
        if (entry.created !== true) {
            found.push(entry);
            return;
        }
        const live = await readIfExists<KubernetesObject>(cluster, entry);
        found.push({ ...entry, ...(live && uidOf(live)) });
    });
    return found;
}

export interface Deletable {
    /** Objects that the stack created, with the uid of each. */
    readonly ours: readonly OwnedReference[];
    /** Existing objects of which that is not proven. */
    readonly others: readonly OwnedReference[];
}

/** Which objects of an inventory the stack may delete; those that do not exist are neither. */
export async function deletableOf(
    cluster: Cluster,
    inventory: readonly OwnedReference[],
    since: string | undefined,
): Promise<Deletable> {
    const ours: OwnedReference[] = [];
    const others: OwnedReference[] = [];
    await eachOf(inventory, async (entry) => {
        const live = await readIfExists<KubernetesObject>(cluster, entry);
        if (!live) return;
        if (isOurs(entry, live, since)) ours.push({ ...entry, ...uidOf(live) });
        else others.push(entry);
    });
    return { ours, others };
}

/** Whether it is proven that the stack created an object. */
function isOurs(
    { created, uid }: OwnedReference,
    { metadata }: KubernetesObject,
    since: string | undefined,
): boolean {
    const managers = (metadata?.managedFields ?? []).filter(
        ({ subresource }) => subresource === undefined,
    );
    const isApplied = managers.some(
        ({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply",
    );
    if (created === false) return false;
    if (created) return (uid !== undefined && uid === metadata?.uid) || isApplied;
    // An older record: the object is younger than it, and nobody but the stack and controllers has set a field.
    const own = [FIELD_MANAGER, RELEASE.fieldManager];
    const isShared = managers.some(
        ({ manager = "" }) => !own.includes(manager) && !CONTROLLERS.test(manager),
    );
    return isApplied && !isShared && isSince(metadata?.creationTimestamp, since);
}

/** The API server's times are texts, which order as the times do. */
function isSince(time: unknown, since: string | undefined): boolean {
    return typeof time === "string" && since !== undefined && time >= since;
}

function uidOf({ metadata }: KubernetesObject): { uid?: string } {
    return metadata?.uid === undefined ? {} : { uid: metadata.uid };
}
