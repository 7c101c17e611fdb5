import type { Tenant } from "@property-search/contract";

import type { TenantsConfig } from "../config.ts";
import type { Log } from "../log.ts";
import { ANONYMOUS } from "../scope.ts";
import { directory } from "./directory.ts";
import { keyedGate, openGate, type Gate } from "./gate.ts";
import { usage, type UsageStore } from "./usage.ts";
import { watchedDirectory } from "./watch.ts";

/** The gate, with what stands behind it. */
export interface Entrance {
    readonly gate: Gate;
    readonly stop: () => Promise<void>;
}

const NOBODY_IN_PARTICULAR: Tenant = { id: ANONYMOUS, pool: ANONYMOUS, limits: undefined };

/** @throws TenantsError when the file of tenants is wrong */
export function openEntrance(
    { file, anonymous }: TenantsConfig,
    store: UsageStore | undefined,
    log: Log,
): Entrance {
    if (file === undefined && anonymous) {
        return { gate: openGate(NOBODY_IN_PARTICULAR), stop: () => Promise.resolve() };
    }
    const listed =
        file === undefined
            ? { now: () => directory([]), stop: () => undefined }
            : watchedDirectory(file, log);
    const used = usage(store, log);
    used.start();
    return {
        gate: keyedGate(listed.now, used, anonymous ? NOBODY_IN_PARTICULAR : undefined),
        stop: async () => {
            listed.stop();
            await used.stop();
        },
    };
}
