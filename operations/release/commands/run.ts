import { fenceOf } from "../fence.ts";
import { drive } from "../machine/drive.ts";
import type { Ports } from "../machine/ports.ts";
import { progressLine } from "../report/text.ts";
import { isOver, type Switch } from "../state.ts";
import { takeHold, type Hold } from "../store/lease.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";

/** Acquires the driver's lease, and waits while another driver may still hold it. */
export async function take(context: Context, force = false): Promise<Hold> {
    const { api, store, clock, holder, isGone, report, signal } = context;
    const [{ state }, route] = await Promise.all([store.read(), readRoute(api)]);
    return takeHold(api, clock, {
        holder,
        knownFence: Math.max(state?.fence ?? 0, fenceOf(route)),
        force,
        isGone,
        waiting: (other, seconds) =>
            report(
                `${other} holds the lease; waiting up to ${seconds} s to see whether it is still running`,
            ),
        signal,
    });
}

/** Drives the recorded switch to its end and releases the lease. */
export async function run(context: Context, ports: Ports, hold: Hold): Promise<Switch> {
    const { store, report, signal } = context;
    try {
        return await drive({ ports, store, hold, signal, onState: telling(report) });
    } finally {
        await hold.release();
    }
}

/** Follows a switch of another driver until it ends or does not change for `stillMilliseconds`. */
export async function follow(context: Context, stillMilliseconds: number): Promise<Switch> {
    const { store, clock, report, signal } = context;
    const tell = telling(report);
    let before: Switch | undefined;
    let movedAt = clock.elapsed();
    for (;;) {
        const { state } = await store.read();
        if (state && before && JSON.stringify(state) !== JSON.stringify(before)) {
            tell(state, before);
            movedAt = clock.elapsed();
        }
        before = state;
        if (state && (isOver(state) || clock.elapsed() - movedAt > stillMilliseconds)) return state;
        await clock.sleep(500, signal);
    }
}

/** Reports new log entries and changes of the wait reason. */
function telling(report: Context["report"]): (state: Switch, before: Switch) => void {
    return (state, before) => {
        if (state.log.length > before.log.length) report(progressLine(state));
        else if (state.trouble !== undefined && state.trouble !== before.trouble) {
            report(`          waiting for: ${state.trouble}`);
        }
    };
}
