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
import { forEachConcurrently } from "./concurrency.ts";

/** One object of a stack, and whether the stack may delete it. */
export interface OwnedReference extends ObjectReference {
    /**
     * True: the object did not exist before the stack's first write of it. False: another owner created it.
     * Absent: written by a version that did not record it.
     */
    readonly created?: boolean;
    /** UID of the created object; absent until a deploy has ended. */
    readonly uid?: string;
}

/** Field managers that write existing objects of others and create none of a stack's. */
const CONTROLLERS =
    /^(kube-controller-manager|kube-scheduler|kubelet|keda.*|traefik|.*cainjector.*|property-search-local)$/;
/** Objects that a message lists. */
const MAX_LISTED = 30;

export interface ClaimOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly manifests: readonly Manifest[];
    /** The stack's record on the cluster. */
    readonly record: {
        readonly inventory: readonly OwnedReference[];
        /** Creation time of the record: RFC 3339 in UTC. */
        readonly since?: string;
    };
    /** Whether to adopt existing objects of others, which are then never deleted. Default: false */
    readonly adopt?: boolean;
}

/**
 * Lists the objects that a deploy will write, and whether the stack creates each.
 *
 * @throws ClusterError with every existing object that is not in the stack's record
 */
export async function claimObjects(options: ClaimOptions): Promise<OwnedReference[]> {
    const { cluster, stack, manifests, record, adopt = false } = options;
    const known = new Map(record.inventory.map((entry) => [keyOf(entry), entry]));
    const claimed: OwnedReference[] = [];
    const foreign: string[] = [];
    await forEachConcurrently(manifests, async (manifest) => {
        const reference = referenceOf(manifest);
        const key = keyOf(reference);
        const live = await readIfExists<KubernetesObject>(cluster, reference);
        const entry = known.get(key);
        if (!live) claimed.push({ ...reference, created: true });
        else if (entry && isCreatedByStack(entry, live, record.since)) {
            claimed.push({ ...reference, created: true, ...uidOf(live) });
        } else if (adopt || (entry && entry.created !== true)) {
            claimed.push({ ...reference, created: false });
        } else foreign.push(key);
    });
    if (foreign.length === 0) return claimed;
    const listed = foreign.sort().slice(0, MAX_LISTED);
    const more = foreign.length - listed.length;
    throw new ClusterError(
        `${foreign.length} objects of stack ${stack} already exist on ${cluster.context}, and this stack has not ` +
            `created them:\n${listed.map((key) => `  - ${key}`).join("\n")}` +
            `${more > 0 ? `\n  - and ${more} more` : ""}\n` +
            "Nothing was changed. Deploy to another cluster, remove the objects with the tool that created them, or " +
            "adopt them with ADOPT=1: this stack then writes them and never deletes them.",
    );
}

/** Adds the UIDs of the live objects, as proof for a later deletion. */
export async function withUids(
    cluster: Cluster,
    entries: readonly OwnedReference[],
): Promise<OwnedReference[]> {
    const found: OwnedReference[] = [];
    await forEachConcurrently(entries, async (entry) => {
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
    /** Objects that the stack created, with their UIDs. */
    readonly ours: readonly OwnedReference[];
    /** Existing objects without proof that the stack created them. */
    readonly others: readonly OwnedReference[];
}

/** Divides existing objects of an inventory by whether the stack may delete them. */
export async function findDeletable(
    cluster: Cluster,
    inventory: readonly OwnedReference[],
    since: string | undefined,
): Promise<Deletable> {
    const ours: OwnedReference[] = [];
    const others: OwnedReference[] = [];
    await forEachConcurrently(inventory, async (entry) => {
        const live = await readIfExists<KubernetesObject>(cluster, entry);
        if (!live) return;
        if (isCreatedByStack(entry, live, since)) ours.push({ ...entry, ...uidOf(live) });
        else others.push(entry);
    });
    return { ours, others };
}

/** Whether the stack provably created an object. */
function isCreatedByStack(
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
    // An older record: the object must be newer, and only the stack and controllers may have set fields.
    const own = [FIELD_MANAGER, RELEASE.fieldManager];
    const isShared = managers.some(
        ({ manager = "" }) => !own.includes(manager) && !CONTROLLERS.test(manager),
    );
    return isApplied && !isShared && isNotOlderThan(metadata?.creationTimestamp, since);
}

/** The API server's times are texts that sort by time. */
function isNotOlderThan(time: unknown, since: string | undefined): boolean {
    return typeof time === "string" && since !== undefined && time >= since;
}

function uidOf({ metadata }: KubernetesObject): { uid?: string } {
    return metadata?.uid === undefined ? {} : { uid: metadata.uid };
}
