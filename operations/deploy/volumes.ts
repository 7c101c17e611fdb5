import type {
    V1PersistentVolumeClaim,
    V1StatefulSet,
    V1StorageClass,
} from "@kubernetes/client-node";
import { parseQuantity } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import {
    ClusterError,
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
} from "../cluster/connect.ts";

interface ClaimTemplate {
    readonly metadata: { readonly name: string };
    readonly spec: {
        readonly storageClassName?: string;
        readonly resources: { readonly requests: { readonly storage: string } };
    };
}

/** A rendered StatefulSet. */
export interface StatefulSetManifest extends Manifest {
    readonly spec: {
        readonly podManagementPolicy?: string;
        readonly volumeClaimTemplates?: readonly ClaimTemplate[];
    };
}

/** Live objects of a StatefulSet and its volumes. */
export interface LiveVolumes {
    /** Undefined if the set does not exist; its claims may. */
    readonly set: V1StatefulSet | undefined;
    /** Claims of all its pods. */
    readonly claims: readonly V1PersistentVolumeClaim[];
    readonly classes: readonly V1StorageClass[];
}

export interface VolumePlan {
    /** Messages about changes that are impossible. */
    readonly problems: readonly string[];
    /** Whether the set must be recreated, since its templates and its policy are immutable. */
    readonly isRecreated: boolean;
    /** New sizes by name of the claim. */
    readonly resizes: Readonly<Record<string, string>>;
}

const RUNBOOK_HINT = "see docs/runbooks/volumes.md";

/** Plans the changes to a StatefulSet and its volumes. */
export function planVolumes(
    manifest: StatefulSetManifest,
    { set, claims, classes }: LiveVolumes,
): VolumePlan {
    const name = `StatefulSet ${manifest.metadata.namespace ?? ""}/${manifest.metadata.name}`;
    const problems: string[] = [];
    const growing: Record<string, string> = {};
    let isRecreated =
        set !== undefined && podManagementPolicy(set) !== podManagementPolicy(manifest);
    for (const template of manifest.spec.volumeClaimTemplates ?? []) {
        const wanted = template.spec.resources.requests.storage;
        const before = set?.spec?.volumeClaimTemplates?.find(
            ({ metadata }) => metadata?.name === template.metadata.name,
        );
        const had = before?.spec?.resources?.requests?.storage;
        if (before && bytes(had) !== bytes(wanted)) isRecreated = true;
        const own = claims.filter(({ metadata }) =>
            isClaimOf(metadata?.name ?? "", template.metadata.name, manifest.metadata.name),
        );
        const found = own.map((claim) => claimProblem(claim, template, classes));
        problems.push(
            ...found.flatMap((words) => (words === undefined ? [] : [`${name}: ${words}`])),
        );
        for (const { metadata, spec } of own) {
            const size = spec?.resources?.requests?.storage;
            if (bytes(size) < bytes(wanted)) growing[metadata?.name ?? ""] = wanted;
        }
    }
    return { problems: [...new Set(problems)], isRecreated, resizes: growing };
}

function claimProblem(
    { metadata, spec }: V1PersistentVolumeClaim,
    template: ClaimTemplate,
    classes: readonly V1StorageClass[],
): string | undefined {
    const volume = `volume ${metadata?.name ?? ""}`;
    const wanted = template.spec.resources.requests.storage;
    const size = spec?.resources?.requests?.storage ?? "0";
    const className = spec?.storageClassName ?? "";
    const wantedClass = template.spec.storageClassName;
    if (wantedClass !== undefined && wantedClass !== className) {
        return `${volume} has storage class "${className}", not "${wantedClass}"; Kubernetes cannot move a volume to another class: ${RUNBOOK_HINT}`;
    }
    if (bytes(wanted) < bytes(size)) {
        return `the size is "${wanted}", and ${volume} has ${size}; allowed: no less, since volumes cannot shrink: ${RUNBOOK_HINT}`;
    }
    if (bytes(wanted) === bytes(size)) return undefined;
    const grows = classes.find((one) => one.metadata?.name === className)?.allowVolumeExpansion;
    if (grows === true) return undefined;
    return `the size is "${wanted}", and ${volume} has ${size}; allowed: ${size}, since storage class "${className}" does not allow volume expansion: ${RUNBOOK_HINT}`;
}

/** Pod management policy of a set. */
function podManagementPolicy({ spec }: V1StatefulSet | StatefulSetManifest): string {
    return spec?.podManagementPolicy ?? "OrderedReady";
}

function isClaimOf(claim: string, template: string, set: string): boolean {
    const prefix = `${template}-${set}-`;
    return claim.startsWith(prefix) && /^\d+$/.test(claim.slice(prefix.length));
}

function bytes(quantity: string | undefined): number {
    return parseQuantity(quantity) ?? NaN;
}

/**
 * Before a deploy, by either method: rejects impossible changes of volumes, and deletes a StatefulSet whose templates or
 * policy changed, without its pods, which the new set adopts.
 *
 * @throws ClusterError with all impossible changes
 */
export async function prepareVolumes(
    cluster: Cluster,
    manifests: readonly Manifest[],
    report: (line: string) => void,
): Promise<void> {
    const sets = manifests.filter(isStatefulSet);
    const plans = await Promise.all(
        sets.map(async (manifest) => planVolumes(manifest, await readLive(cluster, manifest))),
    );
    const problems = plans.flatMap((plan) => plan.problems);
    if (problems.length > 0) {
        throw new ClusterError(
            `volumes cannot be changed:\n${problems.map((one) => `  - ${one}`).join("\n")}`,
        );
    }
    for (const [index, manifest] of sets.entries()) {
        if (plans[index]?.isRecreated !== true) continue;
        report(
            `StatefulSet ${manifest.metadata.name} is recreated, since immutable fields changed; its pods stay`,
        );
        await cluster.objects.delete(referenceOf(manifest), { orphan: true });
        while (await readIfExists(cluster, referenceOf(manifest))) await delay(200);
    }
}

/** After a deploy, whose quota allows it: expands claims to their new sizes. */
export async function expandVolumes(
    cluster: Cluster,
    manifests: readonly Manifest[],
    report: (line: string) => void,
): Promise<void> {
    for (const manifest of manifests.filter(isStatefulSet)) {
        const { resizes } = planVolumes(manifest, await readLive(cluster, manifest));
        for (const [name, storage] of Object.entries(resizes)) {
            const metadata = { name, namespace: manifest.metadata.namespace ?? "" };
            await cluster.objects.merge({
                ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata },
                spec: { resources: { requests: { storage } } },
            } as Manifest);
            report(`expanding volume ${name} to ${storage}`);
        }
    }
}

async function readLive(cluster: Cluster, manifest: StatefulSetManifest): Promise<LiveVolumes> {
    const set = await readIfExists<V1StatefulSet>(cluster, referenceOf(manifest));
    const { objects } = cluster;
    const { namespace } = manifest.metadata;
    const claims = await objects.list<V1PersistentVolumeClaim>("v1", "PersistentVolumeClaim", {
        ...(namespace !== undefined && { namespace }),
    });
    const classes = await objects.list<V1StorageClass>("storage.k8s.io/v1", "StorageClass");
    return { set, claims: claims.items, classes: classes.items };
}

function isStatefulSet(manifest: Manifest): manifest is StatefulSetManifest {
    return manifest.kind === "StatefulSet";
}
