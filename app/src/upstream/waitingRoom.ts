import type { Load } from "./queue.ts";
import { UpstreamError } from "./upstream.ts";

/** Of everybody together; where it is full, each tenant may have its equal share of it. */
const MOST_WAITING: Load = { items: 20_000, bytes: 64 * 1024 * 1024 };

/**
 * @param own what of `all` is of the tenant that wants more
 * @param tenants that have something waiting, with this one
 * @returns whether the room is full and this tenant has its share of it
 */
export function isShareUsedUp(all: Load, own: Load, more: Load, tenants: number): boolean {
    return (["items", "bytes"] as const).some(
        (kind) =>
            all[kind] + more[kind] > MOST_WAITING[kind] &&
            own[kind] + more[kind] > MOST_WAITING[kind] / tenants,
    );
}

export function overloadedError(): UpstreamError {
    const message = "Too many requests wait for the upstream; try again later";
    return new UpstreamError(503, "overloaded", message, 1);
}

/** Counts what waits, by tenant. */
export interface WaitingRoom {
    /** @returns undefined when it does not fit; else what to call when it waits no more */
    readonly enter: (tenant: string, more: Load) => (() => void) | undefined;
}

export function waitingRoom(): WaitingRoom {
    const byTenant = new Map<string, { items: number; bytes: number }>();
    const all = { items: 0, bytes: 0 };

    return {
        enter: (tenant, more) => {
            const own = byTenant.get(tenant) ?? { items: 0, bytes: 0 };
            const tenants = byTenant.size + (byTenant.has(tenant) ? 0 : 1);
            if (isShareUsedUp(all, own, more, tenants)) return undefined;
            byTenant.set(tenant, own);
            count(1);
            return () => {
                count(-1);
                if (own.items === 0) byTenant.delete(tenant);
            };

            function count(sign: 1 | -1): void {
                for (const load of [own, all]) {
                    load.items += sign * more.items;
                    load.bytes += sign * more.bytes;
                }
            }
        },
    };
}
