import type { Log } from "../../log.ts";
import type { NamespaceId } from "./messages.ts";

/** Pauses of the namespaces whose own lookups are too slow: those of other tenants continue. */
export interface Pauses {
    readonly isPaused: (namespace: NamespaceId) => boolean;
    /** After each lookup that the thread has finished. */
    readonly record: (namespace: NamespaceId, isSlow: boolean) => void;
    /** Undefined: of all namespaces. */
    readonly end: (namespace: NamespaceId | undefined) => void;
}

interface Slowness {
    /** Slow lookups in a row since the last pause. */
    lookups: number;
    pauses: number;
    pausedUntil: number;
}

const SLOW_BEFORE_PAUSE = 5;
const FIRST_PAUSE_MILLISECONDS = 1_000;
const MAX_PAUSE_MILLISECONDS = 30_000;

/** @param now in milliseconds */
export function createPauses(log: Log, now = (): number => performance.now()): Pauses {
    const slow = new Map<NamespaceId, Slowness>();
    return {
        isPaused: (namespace) => now() < (slow.get(namespace)?.pausedUntil ?? -Infinity),
        record: (namespace, isSlow) => {
            if (!isSlow) {
                slow.delete(namespace);
                return;
            }
            const own = slow.get(namespace) ?? { lookups: 0, pauses: 0, pausedUntil: -Infinity };
            slow.set(namespace, own);
            own.lookups += 1;
            if (own.lookups < SLOW_BEFORE_PAUSE) return;
            const pause = Math.min(
                FIRST_PAUSE_MILLISECONDS * 2 ** own.pauses,
                MAX_PAUSE_MILLISECONDS,
            );
            own.pausedUntil = now() + pause;
            own.lookups = 0;
            own.pauses += 1;
            log.warn({ pause, namespace }, "Lookups of a tenant are too slow: pausing them");
        },
        end: (namespace) => {
            if (namespace === undefined) slow.clear();
            else slow.delete(namespace);
        },
    };
}
