import type { Tenant } from "@property-search/contract";

import type { TenantsConfig } from "../config.ts";
import type { Log } from "../log.ts";
import { ANONYMOUS } from "../requestContext.ts";
import { directory } from "./tenantDirectory.ts";
import { keyedGate, openGate, type Gate } from "./authenticator.ts";
import type { Refused } from "./limitError.ts";
import { tokenBudget, type TokenBudget } from "./tokenBudget.ts";
import { usage } from "./usage.ts";
import type { UsageStore } from "./usageStore.ts";
import { watchedDirectory } from "./watchedDirectory.ts";

/** Authentication and limits of tenants. */
export interface Entrance {
    readonly gate: Gate;
    readonly tokenBudget: TokenBudget;
    /** IDs of the tenants that are currently valid. */
    readonly tenants: () => readonly string[];
    readonly stop: () => Promise<void>;
}

const NOBODY_IN_PARTICULAR: Tenant = { id: ANONYMOUS, pool: ANONYMOUS, limits: undefined };

/** @throws TenantsError if the tenants file is invalid */
export function openEntrance(
    { file, anonymous }: TenantsConfig,
    store: UsageStore | undefined,
    log: Log,
    refused: Refused,
): Entrance {
    if (file === undefined && anonymous) {
        return {
            gate: openGate(NOBODY_IN_PARTICULAR),
            tokenBudget: { reserve: () => undefined },
            tenants: () => [ANONYMOUS],
            stop: () => Promise.resolve(),
        };
    }
    const listed =
        file === undefined
            ? { now: () => directory([]), stop: () => undefined }
            : watchedDirectory(file, log);
    const used = usage(store, log);
    used.start();
    return {
        gate: keyedGate({
            directoryNow: listed.now,
            usage: used,
            anonymous: anonymous ? NOBODY_IN_PARTICULAR : undefined,
            refused,
        }),
        tokenBudget: tokenBudget({
            limitsOf: (id) => listed.now().withId(id)?.limits,
            usage: used,
            refused,
        }),
        tenants: () => [...listed.now().ids, ...(anonymous ? [ANONYMOUS] : [])],
        stop: async () => {
            listed.stop();
            await used.stop();
        },
    };
}
