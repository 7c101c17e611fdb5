import { describeConnectionLoss } from "@property-search/contract";
import { ReleaseError, Superseded } from "../error.ts";
import { enter, isAborting, isOver, type Switch } from "../state.ts";
import type { Hold } from "../store/lease.ts";
import type { Kept, Store } from "../store/record.ts";
import type { Change } from "../traffic/traffic.ts";
import type { Ports } from "./ports.ts";
import { deadlineOf } from "./deadline.ts";
import { transition, troubled } from "./transition.ts";

export interface DriveOptions {
    readonly ports: Ports;
    readonly store: Store;
    readonly hold: Hold;
    /** Told of each state that was written. It must not fail. */
    readonly onState?: (state: Switch, before: Switch) => void;
    /** Ends the driver, not the switch: the next driver goes on. */
    readonly signal?: AbortSignal | undefined;
}

/** Between two looks at what a phase waits for. A request from elsewhere is taken within it. */
const LOOK_MILLISECONDS = 1_000;
/** What failed again and again is tried at growing intervals up to this. */
const RETRY_MILLISECONDS = 15_000;
/** A look at Prometheus and at both colours' vectors costs more. */
const JUDGE_MILLISECONDS = 5_000;

/**
 * Drives the switch that is on record to its end. What is written is where it stands, so that a driver that
 * was ended anywhere is followed by one that goes on, on whichever machine.
 *
 * @returns the switch as it ended
 * @throws Superseded when another driver took over, ReleaseError when the switch could not begin
 */
export async function drive(options: DriveOptions): Promise<Switch> {
    const { ports, store, hold, onState, signal } = options;
    const { clock } = ports;
    let kept = await store.read();
    let judgedAt = -Infinity;
    let failures = 0;
    let retryAt = -Infinity;
    for (;;) {
        const state = kept.state;
        if (state === undefined) throw new ReleaseError("there is no switch to drive");
        if (isOver(state)) return state;
        signal?.throwIfAborted();
        await hold.keep();
        refuseLater(state, hold);

        const isWatching = state.phase === "observe" || state.phase === "bake";
        const isDue = clock.elapsed() - judgedAt >= JUDGE_MILLISECONDS;
        const waits =
            state.request === undefined &&
            ((isWatching && !isDue) ||
                (clock.elapsed() < retryAt && !isOverdue(state, clock.now())));
        const { next, isFailed = false } = waits ? { next: state } : await step(state, options);
        if (!waits) {
            failures = isFailed ? failures + 1 : 0;
            retryAt = isFailed ? clock.elapsed() + backoff(failures) : -Infinity;
        }
        if (isWatching && !waits) judgedAt = clock.elapsed();
        if (next !== state) {
            const { kept: now, isOurs } = await write(store, next, kept, hold);
            kept = now;
            if (isOurs) {
                if (next.phase !== state.phase) await mark(ports, next, hold);
                onState?.(next, state);
                // News of the same phase is no reason to look again at once.
                if (next.log.length !== state.log.length) continue;
            }
        }
        await clock.sleep(LOOK_MILLISECONDS, signal);
        kept = await store.read().catch(() => kept);
    }
}

/**
 * One transition; what fails is tried again until the phase's time is over, and a way back for ever but for
 * what its owner rejects.
 */
async function step(
    state: Switch,
    { ports, hold, signal }: DriveOptions,
): Promise<{ readonly next: Switch; readonly isFailed?: boolean }> {
    const change: Change = { fence: hold.fence, id: state.id, signal };
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
            return { next: enter(refused, "rolled-back", now, `refused: ${reason}`) };
        }
        return { next: troubled(state, reason), isFailed: true };
    }
}

/** The first failures are tried again at once, as a request that broke. */
function backoff(failures: number): number {
    return failures < 3 ? 0 : Math.min(RETRY_MILLISECONDS, LOOK_MILLISECONDS * 2 ** (failures - 3));
}

function isOverdue(state: Switch, now: number): boolean {
    const deadline = deadlineOf(state);
    return deadline !== undefined && now >= deadline.at;
}

/**
 * Writes as this driver. When somebody wrote meanwhile, or nobody knows whether it was written, what is on
 * record is where it goes on: no transition suffers from being made twice.
 */
async function write(
    store: Store,
    next: Switch,
    basis: Kept,
    { fence, holder }: Hold,
): Promise<{ readonly kept: Kept; readonly isOurs: boolean }> {
    try {
        return { kept: await store.write({ ...next, fence, holder }, basis), isOurs: true };
    } catch {
        return { kept: await store.read().catch(() => basis), isOurs: false };
    }
}

function refuseLater(state: Switch, { fence }: Hold): void {
    if (state.fence > fence) {
        throw new Superseded(`${state.holder} has taken this switch over`);
    }
}

/** Dashboards read it; a switch does not depend on it. */
async function mark(ports: Ports, state: Switch, { fence }: Hold): Promise<void> {
    try {
        await ports.route.mark(state, fence);
    } catch (error) {
        if (error instanceof Superseded && !isAborting(state)) throw error;
    }
}
