import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "../../cluster/connect.ts";
import { createPersistenceCheck } from "../../cluster/persistence.ts";
import { createEventReader, type EngineEvent } from "./events.ts";

/** A workload whose pods an update waits for. */
export interface Workload {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
}

export interface WatchOptions {
    /** File with the CLI's event log of the update. */
    readonly log: string;
    /** Describes pods of these workloads that cannot start. */
    readonly findStuckPods: (workloads: readonly Workload[]) => Promise<readonly string[]>;
    /** Called once, when pods have been stuck for long enough. */
    readonly onStuck: (why: ClusterError) => void;
    /** Interval between two checks. Default: 2,000 */
    readonly pollMilliseconds?: number;
    /** Time for which pods may be stuck, since a first crash may be due to a starting dependency. Default: 40,000 */
    readonly stuckMilliseconds?: number;
}

const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job"];

/**
 * Watches the pods that an update waits for. Pulumi's Kubernetes provider waits for its whole timeout for a pod that cannot
 * start, such as one whose image does not exist.
 */
export function watchWorkloads(options: WatchOptions): { readonly end: () => Promise<void> } {
    const { pollMilliseconds = 2_000, stuckMilliseconds = 40_000 } = options;
    const ended = new AbortController();
    const { signal } = ended;
    const read = createEventReader(options.log);
    const awaited = new Map<string, Workload>();

    async function watch(): Promise<void> {
        const isStuck = createPersistenceCheck({ milliseconds: stuckMilliseconds });
        while (!signal.aborted) {
            await delay(pollMilliseconds, undefined, { signal }).catch(() => undefined);
            trackSteps(awaited, await read());
            // A failed check does not end the update: the next one may succeed.
            const problems = await options.findStuckPods([...awaited.values()]).catch(() => []);
            if (!isStuck(problems.length > 0)) continue;
            const reasons = problems.map((text) => `\n  ${text}`).join("");
            options.onStuck(new ClusterError(`ended early, since pods cannot start:${reasons}`));
            return;
        }
    }

    const watching = watch();
    return {
        end: () => {
            ended.abort();
            return watching;
        },
    };
}

/** Tracks the workloads of steps that have started and not ended. */
export function trackSteps(awaited: Map<string, Workload>, events: readonly EngineEvent[]): void {
    for (const { resourcePreEvent, resOutputsEvent, resOpFailedEvent } of events) {
        const started = resourcePreEvent?.metadata;
        const workload = started && workloadOf(started.new?.inputs);
        if (started && workload && !["same", "refresh"].includes(started.op)) {
            awaited.set(started.urn, workload);
        }
        const ended = (resOutputsEvent ?? resOpFailedEvent)?.metadata;
        if (ended) awaited.delete(ended.urn);
    }
}

function workloadOf(inputs: Readonly<Record<string, unknown>> | undefined): Workload | undefined {
    const { kind, metadata } = (inputs ?? {}) as {
        readonly kind?: string;
        readonly metadata?: { readonly name?: string; readonly namespace?: string };
    };
    const { name, namespace } = metadata ?? {};
    if (!kind || !KINDS.includes(kind) || !name || !namespace) return undefined;
    return { kind, namespace, name };
}
