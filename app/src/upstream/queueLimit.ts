import type { InputSize } from "./inputSize.ts";
import { UpstreamError } from "./upstream.ts";

/** Limit of all tenants together; when it is reached, each tenant may use an equal share. */
const MAX_WAITING: InputSize = { items: 20_000, bytes: 64 * 1024 * 1024 };

/**
 * @param own part of `all` of the requesting tenant
 * @param tenants number of tenants with waiting inputs, including this one
 * @returns whether the limit is reached and this tenant has used its share
 */
export function isShareExhausted(
    all: InputSize,
    own: InputSize,
    added: InputSize,
    tenants: number,
): boolean {
    return (["items", "bytes"] as const).some(
        (kind) =>
            all[kind] + added[kind] > MAX_WAITING[kind] &&
            own[kind] + added[kind] > MAX_WAITING[kind] / tenants,
    );
}

export function overloadedError(
    message = "The upstream queue is full; retry later",
): UpstreamError {
    return new UpstreamError(503, "overloaded", message, 1);
}

/** @param waiting number of inputs that wait */
export function lateError(waiting: number): UpstreamError {
    return overloadedError(
        `The upstream is slow: ${waiting} inputs wait, longer than the deadline of this request; retry later`,
    );
}

/** Tracks waiting inputs by tenant. */
export interface QueueLimit {
    /** @returns undefined if the inputs are not admitted, or a function to call when they no longer wait */
    readonly admit: (tenant: string, added: InputSize) => (() => void) | undefined;
}

export function createQueueLimit(): QueueLimit {
    const byTenant = new Map<string, { items: number; bytes: number }>();
    const all = { items: 0, bytes: 0 };

    return {
        admit: (tenant, added) => {
            const own = byTenant.get(tenant) ?? { items: 0, bytes: 0 };
            const tenants = byTenant.size + (byTenant.has(tenant) ? 0 : 1);
            if (isShareExhausted(all, own, added, tenants)) return undefined;
            byTenant.set(tenant, own);
            count(1);
            return () => {
                count(-1);
                if (own.items === 0) byTenant.delete(tenant);
            };

            function count(sign: 1 | -1): void {
                for (const load of [own, all]) {
                    load.items += sign * added.items;
                    load.bytes += sign * added.bytes;
                }
            }
        },
    };
}
