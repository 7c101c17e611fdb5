import { describeConnectionLoss } from "@property-search/contract";
import { ReleaseError, Superseded } from "../error.ts";
import { enterPhase, isAborting, hasEnded, type Switch } from "../state.ts";
import type { LeaseHandle } from "../store/lease.ts";
import type { StoredSwitch, Store } from "../store/record.ts";
import type { WeightChange } from "../traffic/traffic.ts";
import type { Ports } from "./ports.ts";
import { deadlineOf } from "./deadline.ts";
import { transition, setWaiting } from "./transition.ts";

export interface DriveOptions {
    readonly ports: Ports;
    readonly store: Store;
    readonly lease: LeaseHandle;
    /** Called with each state that was written. It must not throw. */
    readonly onState?: (state: Switch, before: Switch) => void;
    /** Ends the driver, not the switch: the next driver resumes it. */
    readonly signal?: AbortSignal | undefined;
}

/** Interval between two checks of a waiting phase. A requested action is taken within it. */
const POLL_MILLISECONDS = 1_000;
/** Longest interval between retries of a failing transition. */
const MAX_RETRY_MILLISECONDS = 15_000;
/** Interval between two analyses, which query Prometheus and compare vectors. */
const ANALYSIS_MILLISECONDS = 5_000;

/**
 * Drives the recorded switch to its end. The record holds its whole state, so that another driver, on whichever machine,
 * can resume it after this one is killed at any point.
 *
 * @returns the switch after it has ended
 * @throws Superseded if another driver took over, ReleaseError if there is no switch
 */
export async function drive(options: DriveOptions): Promise<Switch> {
    const { ports, store, lease, onState, signal } = options;
    const { clock } = ports;
    let kept = await store.read();
    let analyzedAt = -Infinity;
    let failures = 0;
    let retryAt = -Infinity;
    for (;;) {
        const state = kept.state;
        if (state === undefined) throw new ReleaseError("there is no switch to drive");
        if (hasEnded(state)) return state;
        signal?.throwIfAborted();
        await lease.renew();
        assertHoldsSwitch(state, lease);

        const isWatching = state.phase === "observe" || state.phase === "bake";
        const isDue = clock.elapsed() - analyzedAt >= ANALYSIS_MILLISECONDS;
        const waits =
            state.request === undefined &&
            ((isWatching && !isDue) ||
                (clock.elapsed() < retryAt && !isOverdue(state, clock.now())));
        const { next, isFailed = false } = waits ? { next: state } : await step(state, options);
        if (!waits) {
            failures = isFailed ? failures + 1 : 0;
            retryAt = isFailed ? clock.elapsed() + backoff(failures) : -Infinity;
        }
        if (isWatching && !waits) analyzedAt = clock.elapsed();
        if (next !== state) {
            const { kept: now, isOurs } = await write(store, next, kept, lease);
            kept = now;
            if (isOurs) {
                if (next.phase !== state.phase) await annotateRoute(ports, next, lease);
                onState?.(next, state);
                // A change within the same phase does not need another check at once.
                if (next.log.length !== state.log.length) continue;
            }
        }
        await clock.sleep(POLL_MILLISECONDS, signal);
        kept = await store.read().catch(() => kept);
    }
}

/**
 * One transition. A failed one is retried until the phase's deadline, a rollback without a limit, unless the owner of the
 * weights rejects it.
 */
async function step(
    state: Switch,
    { ports, lease, signal }: DriveOptions,
): Promise<{ readonly next: Switch; readonly isFailed?: boolean }> {
    const change: WeightChange = { fence: lease.fence, id: state.id, signal };
    try {
        return { next: await transition(state, ports, change) };
    } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof Superseded) throw error;
        const words = error instanceof Error ? error.message : String(error);
        const reason = describeConnectionLoss(error) ?? words;
        if (state.phase === "preflight" && error instanceof ReleaseError) {
            const now = ports.clock.now();
            const cause = { cause: "fail", by: "preflight", at: now, reason } as const;
            const refused: Switch = { ...state, aborted: { ...cause, phase: state.phase } };
            return { next: enterPhase(refused, "rolled-back", now, `rejected: ${reason}`) };
        }
        return { next: setWaiting(state, reason), isFailed: true };
    }
}

/** The first failures, such as a broken request, are retried at once. */
function backoff(failures: number): number {
    return failures < 3
        ? 0
        : Math.min(MAX_RETRY_MILLISECONDS, POLL_MILLISECONDS * 2 ** (failures - 3));
}

function isOverdue(state: Switch, now: number): boolean {
    const deadline = deadlineOf(state);
    return deadline !== undefined && now >= deadline.at;
}

/**
 * Writes as this driver. After a conflict or an unknown result, the driver continues from the record: every transition is
 * idempotent.
 */
async function write(
    store: Store,
    next: Switch,
    basis: StoredSwitch,
    { fence, holder }: LeaseHandle,
): Promise<{ readonly kept: StoredSwitch; readonly isOurs: boolean }> {
    try {
        return { kept: await store.write({ ...next, fence, holder }, basis), isOurs: true };
    } catch {
        return { kept: await store.read().catch(() => basis), isOurs: false };
    }
}

function assertHoldsSwitch(state: Switch, { fence }: LeaseHandle): void {
    if (state.fence > fence) {
        throw new Superseded(`${state.holder} has taken over this switch`);
    }
}

/** Annotates the route for dashboards; a switch does not depend on it. */
async function annotateRoute(ports: Ports, state: Switch, { fence }: LeaseHandle): Promise<void> {
    try {
        await ports.route.annotate(state, fence);
    } catch (error) {
        if (error instanceof Superseded && !isAborting(state)) throw error;
    }
}
