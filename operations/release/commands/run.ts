import { fenceOf } from "../fence.ts";
import { drive } from "../machine/drive.ts";
import type { Ports } from "../machine/ports.ts";
import { progressLine } from "../report/text.ts";
import { hasEnded, type Switch } from "../state.ts";
import { acquireLease, type LeaseHandle } from "../store/lease.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";

/** Acquires the driver's lease, and waits while another driver may still hold it. */
export async function acquire(context: Context, force = false): Promise<LeaseHandle> {
    const { api, store, clock, holder, hasExited, report, signal } = context;
    const [{ state }, route] = await Promise.all([store.read(), readRoute(api)]);
    return acquireLease(api, clock, {
        holder,
        knownFence: Math.max(state?.fence ?? 0, fenceOf(route)),
        force,
        hasExited,
        onWaiting: (other, seconds) =>
            report(
                `${other} holds the lease; waiting up to ${seconds} s to see whether it is still running`,
            ),
        signal,
    });
}

/** Drives the recorded switch to its end and releases the lease. */
export async function run(context: Context, ports: Ports, lease: LeaseHandle): Promise<Switch> {
    const { store, report, signal } = context;
    try {
        return await drive({
            ports,
            store,
            lease,
            signal,
            onState: createStateReporter(report),
        });
    } finally {
        await lease.release();
    }
}

/** Follows a switch of another driver until it ends or does not change for `stillMilliseconds`. */
export async function follow(context: Context, stillMilliseconds: number): Promise<Switch> {
    const { store, clock, report, signal } = context;
    const reportState = createStateReporter(report);
    let before: Switch | undefined;
    let movedAt = clock.elapsed();
    for (;;) {
        const { state } = await store.read();
        if (state && before && JSON.stringify(state) !== JSON.stringify(before)) {
            reportState(state, before);
            movedAt = clock.elapsed();
        }
        before = state;
        if (state && (hasEnded(state) || clock.elapsed() - movedAt > stillMilliseconds))
            return state;
        await clock.sleep(500, signal);
    }
}

/** Reports new log entries and changes of the wait reason. */
function createStateReporter(report: Context["report"]): (state: Switch, before: Switch) => void {
    return (state, before) => {
        if (state.log.length > before.log.length) report(progressLine(state));
        else if (state.waitingFor !== undefined && state.waitingFor !== before.waitingFor) {
            report(`          waiting for: ${state.waitingFor}`);
        }
    };
}
