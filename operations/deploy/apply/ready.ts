import type { V1Condition, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { describeConnectionLoss } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import { autoscalerKind } from "../../shared/autoscalers.ts";
import { createPersistenceCheck } from "../../cluster/persistence.ts";
import {
    ClusterError,
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
} from "../../cluster/connect.ts";

export interface ReadyOptions {
    readonly cluster: Cluster;
    readonly manifests: readonly Manifest[];
    /** Timeout in seconds. */
    readonly timeoutSeconds: number;
    /** Receives one line whenever the pending objects change. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

/** The fields that determine readiness, for all supported kinds. */
interface Observed {
    metadata?: { generation?: number };
    spec?: { replicas?: number; completions?: number };
    status?: {
        observedGeneration?: number;
        replicas?: number;
        readyReplicas?: number;
        availableReplicas?: number;
        updatedReplicas?: number;
        succeeded?: number;
        failed?: number;
        conditions?: V1Condition[];
        parents?: { conditions?: V1Condition[] }[];
    };
}

const POLL_MILLISECONDS = 500;
/** States in which a container does not become ready without a change. */
const UNRECOVERABLE = [
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CrashLoopBackOff",
];
/** Minimum duration of such a state: a first crash may be due to a starting dependency. */
const UNRECOVERABLE_MILLISECONDS = 30_000;
/** A busy API server may be silent for a while; a longer loss of connection is an error. */
const DISCONNECTED_MILLISECONDS = 60_000;

/**
 * Waits until every workload is rolled out and every Gateway and route is accepted, each at its current generation.
 *
 * @throws ClusterError with the pending objects and reasons, on a timeout or if a pod cannot start; the connection's error
 * if it is lost for a minute
 */
export async function waitReady(options: ReadyOptions): Promise<void> {
    const { cluster, manifests, timeoutSeconds, report, signal } = options;
    const awaited = manifests.filter(({ kind }) => kind in PENDING_REASONS);
    const floors = floorsOf(manifests);
    const deadline = Date.now() + timeoutSeconds * 1000;
    let reported = "";
    const isUnrecoverable = createPersistenceCheck({ milliseconds: UNRECOVERABLE_MILLISECONDS });
    const isDisconnected = createPersistenceCheck({ milliseconds: DISCONNECTED_MILLISECONDS });
    for (;;) {
        signal?.throwIfAborted();
        try {
            const pending = await findPending(cluster, awaited, floors);
            if (pending.length === 0) return;
            const line = pending.join(", ");
            reportChange(`waiting for ${line}`);

            const problems = await readPodProblems(cluster, namespacesOf(awaited));
            const ends = isUnrecoverable(problems.some(({ unrecoverable }) => unrecoverable));
            if (Date.now() > deadline || ends) {
                const reasons = problems.map(({ text }) => `\n  ${text}`).join("");
                const when =
                    Date.now() > deadline ? `after ${timeoutSeconds} s` : "and will not be";
                throw new ClusterError(`not ready ${when}: ${line}${reasons}`);
            }
        } catch (error) {
            const lost = describeConnectionLoss(error);
            if (lost === undefined || isDisconnected(true) || Date.now() > deadline) throw error;
            reportChange(lost);
        }
        await delay(POLL_MILLISECONDS, undefined, { signal });
    }

    function reportChange(line: string): void {
        if (line !== reported) report(line);
        reported = line;
    }
}

/** Per kind, why an object is not ready; undefined if it is. */
const PENDING_REASONS: Record<string, (object: Observed, floor: number) => string | undefined> = {
    Deployment: ({ metadata, status, spec }, floor) => {
        // A new Deployment has one replica until its autoscaler scales it.
        const wanted = Math.max(spec?.replicas ?? 1, floor);
        const updated = status?.updatedReplicas ?? 0;
        const ready = Math.min(updated, status?.availableReplicas ?? 0);
        if (status?.observedGeneration !== metadata?.generation) return "not observed yet";
        return ready < wanted || (status?.replicas ?? 0) > updated
            ? `${ready}/${wanted} ready`
            : undefined;
    },
    StatefulSet: ({ metadata, status, spec }) => {
        const wanted = spec?.replicas ?? 1;
        const ready = Math.min(status?.updatedReplicas ?? 0, status?.readyReplicas ?? 0);
        if (status?.observedGeneration !== metadata?.generation) return "not observed yet";
        return ready < wanted ? `${ready}/${wanted} ready` : undefined;
    },
    Job: ({ status, spec }) =>
        (status?.succeeded ?? 0) >= (spec?.completions ?? 1)
            ? undefined
            : `running${status?.failed ? `, ${status.failed} failed attempts` : ""}`,
    Gateway: ({ metadata, status }) =>
        missingCondition(status?.conditions, metadata?.generation, ["Accepted", "Programmed"]),
    // Kinds of cert-manager: a certificate is issued, an account is registered.
    Certificate: isReadyAtGeneration,
    Issuer: isReadyAtGeneration,
    HTTPRoute: ({ metadata, status }) => {
        const parents = status?.parents ?? [];
        if (parents.length === 0) return "not accepted yet";
        return parents
            .map(({ conditions }) =>
                missingCondition(conditions, metadata?.generation, ["Accepted", "ResolvedRefs"]),
            )
            .find((text) => text !== undefined);
    },
};

function isReadyAtGeneration({ metadata, status }: Observed): string | undefined {
    return missingCondition(status?.conditions, metadata?.generation, ["Ready"]);
}

/** Describes a missing condition; conditions of another generation do not count. */
function missingCondition(
    conditions: readonly V1Condition[] | undefined,
    generation: number | undefined,
    types: readonly string[],
): string | undefined {
    for (const type of types) {
        const found = conditions?.find((condition) => condition.type === type);
        if (found?.observedGeneration !== generation) return `not ${type} yet`;
        if (found?.status !== "True") return `not ${type}: ${found?.message ?? "no reason given"}`;
    }
    return undefined;
}

/** HorizontalPodAutoscalers and KEDA's ScaledObjects. */
interface Scaler extends Manifest {
    readonly spec: Readonly<Record<string, unknown>> & {
        readonly scaleTargetRef: { readonly name: string };
    };
}

/** Minimum number of pods by namespace and name of the scaled Deployment. */
export function floorsOf(manifests: readonly Manifest[]): Map<string, number> {
    return new Map(
        manifests.filter(isScaler).map(({ kind, metadata, spec }) => {
            const name = `${metadata.namespace ?? ""}/${spec.scaleTargetRef.name}`;
            return [name, Number(spec[autoscalerKind(kind)?.floor ?? ""] ?? 1)];
        }),
    );
}

function isScaler(manifest: Manifest): manifest is Scaler {
    return autoscalerKind(manifest.kind) !== undefined;
}

async function findPending(
    cluster: Cluster,
    awaited: readonly Manifest[],
    floors: ReadonlyMap<string, number>,
): Promise<string[]> {
    const states = await Promise.all(
        awaited.map(async (manifest) => {
            const object = await readIfExists(cluster, referenceOf(manifest));
            const { namespace = "", name } = manifest.metadata;
            const floor = floors.get(`${namespace}/${name}`) ?? 0;
            const lack = object ? PENDING_REASONS[manifest.kind]?.(object, floor) : "missing";
            return lack === undefined ? [] : [`${name} (${lack})`];
        }),
    );
    return states.flat();
}

function namespacesOf(manifests: readonly Manifest[]): string[] {
    return [...new Set(manifests.flatMap(({ metadata }) => metadata.namespace ?? []))];
}

async function readPodProblems(
    cluster: Cluster,
    namespaces: readonly string[],
): Promise<{ text: string; unrecoverable: boolean }[]> {
    const lists = await Promise.all(
        namespaces.map((namespace) => cluster.objects.list<V1Pod>("v1", "Pod", { namespace })),
    );
    return lists.flatMap(({ items }) => items.flatMap(podProblems));
}

/** Describes why the containers of a pod do not run, or why it is not scheduled. */
export function podProblems(pod: V1Pod): { text: string; unrecoverable: boolean }[] {
    const name = `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;
    const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False") {
        return [{ text: `${name}: ${scheduled.message ?? "not scheduled"}`, unrecoverable: false }];
    }
    return [
        ...(pod.status?.initContainerStatuses ?? []),
        ...(pod.status?.containerStatuses ?? []),
    ].flatMap((container) => containerProblem(name, container));
}

function containerProblem(pod: string, { name, state, lastState }: V1ContainerStatus) {
    const reason = state?.waiting?.reason;
    if (reason === undefined || ["ContainerCreating", "PodInitializing"].includes(reason))
        return [];
    const exit = lastState?.terminated;
    const detail = exit
        ? `last exit code ${exit.exitCode} (${exit.reason ?? "no reason"})`
        : (state?.waiting?.message ?? "");
    return [
        {
            text: `${pod}, container ${name}: ${reason}; ${detail}; see kubectl logs -n ${pod.replace("/", " ")}`,
            unrecoverable: UNRECOVERABLE.includes(reason),
        },
    ];
}
