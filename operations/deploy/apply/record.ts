import type { V1Secret } from "@kubernetes/client-node";
import { LABELS, PART_OF } from "@property-search/contract";
import {
    ClusterError,
    createIfAbsent,
    deleteIfExists,
    readIfExists,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "../../cluster/connect.ts";
import type { OwnedReference } from "./ownership.ts";

/**
 * Per-stack deployment record, stored in the cluster: config overrides of the last deploy and, for apply-based deploys,
 * generated secrets and the object inventory, which allows pruning. It is a Secret in a namespace of its own, which the
 * program does not manage and cannot prune.
 */
export interface StackRecord {
    readonly secrets: Readonly<Record<string, string>>;
    readonly inventory: readonly OwnedReference[];
    /** Config overrides of the last deploy, such as images of one machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Creation time of the record: RFC 3339 in UTC. Objects of the stack are not older. */
    readonly createdAt?: string;
    /** Version of the Secret that was read. */
    readonly resourceVersion?: string;
}

export const RECORD_NAMESPACE = "property-search-deploy";
const RECORD_PREFIX = "stack-";
const RECORD_TYPE = "property-search.io/stack-record";

const EMPTY: StackRecord = { secrets: {}, inventory: [], config: {} };

export async function readRecord(
    cluster: Cluster,
    stack: string,
): Promise<StackRecord | undefined> {
    const secret = await readIfExists<V1Secret>(cluster, recordReference(stack));
    if (!secret) return undefined;
    return {
        secrets: decode(secret, "secrets", EMPTY.secrets),
        inventory: decode(secret, "inventory", EMPTY.inventory),
        config: decode(secret, "config", EMPTY.config),
        ...versionOf(secret),
        // JSON has a text here, unlike the client's types.
        ...(secret.metadata?.creationTimestamp && {
            createdAt: secret.metadata.creationTimestamp as unknown as string,
        }),
    };
}

/** Whether a stack was deployed by apply; a stack keeps the method of its first deploy. */
export async function isDeployedByApply(cluster: Cluster, stack: string): Promise<boolean> {
    return ((await readRecord(cluster, stack))?.inventory.length ?? 0) > 0;
}

/**
 * Creates the record with these secrets, unless another deploy has created it first.
 *
 * @returns the record on the cluster
 */
export async function createRecord(
    cluster: Cluster,
    stack: string,
    secrets: Readonly<Record<string, string>>,
): Promise<StackRecord> {
    await ensureRecordNamespace(cluster);
    await createIfAbsent(cluster, encode(stack, { ...EMPTY, secrets }));
    return (await readRecord(cluster, stack)) ?? EMPTY;
}

/** Config overrides of the last deploy. */
export async function readRecordedConfig(
    cluster: Cluster,
    stack: string,
): Promise<StackRecord["config"]> {
    return (await readRecord(cluster, stack))?.config ?? EMPTY.config;
}

/** Records the config overrides of a deploy, by either method, for the next one. Without overrides there is no record. */
export async function recordConfig(
    cluster: Cluster,
    stack: string,
    config: StackRecord["config"],
): Promise<void> {
    const known = await readRecord(cluster, stack);
    if (!known && Object.keys(config).length === 0) return;
    const record = known ?? (await createRecord(cluster, stack, {}));
    await writeRecord(cluster, stack, { ...record, config });
}

/** API key of the tenant "platform" of a stack that was deployed by apply. */
export async function readPlatformKey(cluster: Cluster): Promise<string | undefined> {
    for (const stack of await listAppliedStacks(cluster)) {
        const record = await readRecord(cluster, stack);
        const key = record?.secrets["tenants.platformKey"];
        if (key !== undefined) return key;
    }
    return undefined;
}

/** Stacks that were applied to the cluster. */
export async function listAppliedStacks(cluster: Cluster): Promise<string[]> {
    const { items } = await cluster.objects.list<V1Secret>("v1", "Secret", {
        namespace: RECORD_NAMESPACE,
    });
    return items
        .filter(({ type }) => type === RECORD_TYPE)
        .map(({ metadata }) => metadata?.name?.replace(RECORD_PREFIX, "") ?? "");
}

/**
 * Replaces the record, unless another command has written it since `record` was read: its secrets would be lost.
 *
 * @returns the written record, for the next write
 * @throws ClusterError if another command has written it
 */
export async function writeRecord(
    cluster: Cluster,
    stack: string,
    record: StackRecord,
): Promise<StackRecord> {
    try {
        const written = await cluster.objects.replace(encode(stack, record));
        return { ...record, ...versionOf(written) };
    } catch (error) {
        if (statusOf(error) !== 409) throw error;
        throw new ClusterError(
            `another command has deployed stack ${stack} to ${cluster.context} or changed its secrets meanwhile, ` +
                "and its changes are kept; run this command again after the other has ended",
        );
    }
}

function versionOf({ metadata }: V1Secret): Pick<StackRecord, "resourceVersion"> {
    const version = metadata?.resourceVersion;
    return version === undefined ? {} : { resourceVersion: version };
}

export function recordReference(stack: string): ObjectReference {
    return {
        apiVersion: "v1",
        kind: "Secret",
        namespace: RECORD_NAMESPACE,
        name: `${RECORD_PREFIX}${stack}`,
    };
}

function encode(
    stack: string,
    { secrets, inventory, config, resourceVersion }: StackRecord,
): V1Secret {
    const { name } = recordReference(stack);
    return {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
            name,
            namespace: RECORD_NAMESPACE,
            labels: { [LABELS.partOf]: PART_OF },
            ...(resourceVersion !== undefined && { resourceVersion }),
        },
        type: RECORD_TYPE,
        data: {
            secrets: toBase64(secrets),
            inventory: toBase64(inventory),
            config: toBase64(config),
        },
    };
}

function decode<T>(secret: V1Secret, key: string, absent: T): T {
    const text = secret.data?.[key];
    return text === undefined
        ? absent
        : (JSON.parse(Buffer.from(text, "base64").toString("utf8")) as T);
}

function toBase64(value: unknown): string {
    return Buffer.from(JSON.stringify(value)).toString("base64");
}

/** Creates the namespace of records if it does not exist. */
export async function ensureRecordNamespace(cluster: Cluster): Promise<void> {
    await createIfAbsent(cluster, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: RECORD_NAMESPACE, labels: { [LABELS.partOf]: PART_OF } },
    });
}

/** Deletes the namespace of records unless it has records of other stacks, which contain their passwords. */
export async function removeRecordNamespace(cluster: Cluster): Promise<void> {
    if ((await listAppliedStacks(cluster)).length > 0) return;
    await deleteIfExists(cluster, { apiVersion: "v1", kind: "Namespace", name: RECORD_NAMESPACE });
}
