import type { Tenant } from "@property-search/contract";

import type { PortToken } from "../distinctTokens.ts";
import type { TenantsConfig } from "./config.ts";
import type { Log } from "../log.ts";
import { ANONYMOUS } from "../requestContext.ts";
import { createTenantDirectory } from "./tenantDirectory.ts";
import {
    createAuthenticator,
    createOpenAuthenticator,
    type Authenticator,
} from "./authenticator.ts";
import type { OnRejected } from "./rejection.ts";
import { createTokenBudget, type TokenBudget } from "./tokenBudget.ts";
import { createUsage } from "./usage.ts";
import type { UsageStore } from "./usageStore.ts";
import { watchTenantDirectory } from "./watchedDirectory.ts";

/** Authentication and limits of tenants. */
export interface Auth {
    readonly authenticator: Authenticator;
    readonly tokenBudget: TokenBudget;
    /** IDs of the tenants that are currently valid. */
    readonly tenants: () => readonly string[];
    readonly stop: () => Promise<void>;
}

const ANONYMOUS_TENANT: Tenant = { id: ANONYMOUS, pool: ANONYMOUS, limits: undefined };

/**
 * @param tokens values that no API key may have
 * @throws TenantsError if the tenants file is invalid
 */
export function createAuth(
    { file, anonymous }: TenantsConfig,
    store: UsageStore | undefined,
    log: Log,
    onRejected: OnRejected,
    tokens: readonly PortToken[] = [],
): Auth {
    if (file === undefined && anonymous) {
        return {
            authenticator: createOpenAuthenticator(ANONYMOUS_TENANT),
            tokenBudget: { reserve: () => undefined },
            tenants: () => [ANONYMOUS],
            stop: () => Promise.resolve(),
        };
    }
    const directory =
        file === undefined
            ? { current: () => createTenantDirectory([]), stop: () => undefined }
            : watchTenantDirectory(file, tokens, log);
    const tenantUsage = createUsage(store, log);
    tenantUsage.start();
    return {
        authenticator: createAuthenticator({
            currentDirectory: directory.current,
            usage: tenantUsage,
            anonymous: anonymous ? ANONYMOUS_TENANT : undefined,
            onRejected,
        }),
        tokenBudget: createTokenBudget({
            limitsOf: (id) => directory.current().findById(id)?.limits,
            usage: tenantUsage,
            onRejected,
        }),
        tenants: () => [...directory.current().ids, ...(anonymous ? [ANONYMOUS] : [])],
        stop: async () => {
            directory.stop();
            await tenantUsage.stop();
        },
    };
}
