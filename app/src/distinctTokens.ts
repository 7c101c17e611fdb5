import { hash } from "node:crypto";

import { partsOfList } from "@property-search/contract/settings";

import type { SettingsReader } from "./settingsReader.ts";

/** A token that opens a port of this pod. */
export interface PortToken {
    /** Variable that has it. */
    readonly variable: string;
    readonly sha256: string;
}

const TOKENS = ["adminToken", "automationToken"] as const;

/** Each secret grants different access, so no two may be equal. */
export function checkDistinctTokens(read: SettingsReader): void {
    const { values } = read;
    for (const name of TOKENS) {
        const token = values[name];
        if (token === "") continue;
        const others = {
            ADMIN_TOKEN: [name === "adminToken" ? "" : values.adminToken],
            REDIS_PASSWORD: [values.redisPassword],
            REDIS_SENTINEL_PASSWORD: [values.redisSentinelPassword],
            UPSTREAM_API_KEY: [values.upstreamApiKey],
            UPSTREAM_FALLBACK_API_KEYS: partsOfList(values.upstreamFallbackApiKeys),
        };
        for (const [other, secrets] of Object.entries(others))
            if (secrets.includes(token)) read.addError(name, `a value of its own, not ${other}'s`);
    }
}

/** The tokens that no tenant's API key may be. */
export function tokensOfPorts(config: {
    readonly admin: { readonly token: string } | undefined;
    readonly automation: { readonly token: string } | undefined;
}): readonly PortToken[] {
    const tokens = { ADMIN_TOKEN: config.admin?.token, AUTOMATION_TOKEN: config.automation?.token };
    return Object.entries(tokens).flatMap(([variable, token]) =>
        token === undefined ? [] : [{ variable, sha256: hash("sha256", token, "hex") }],
    );
}

/** @returns an error for each tenant whose keys include a token of a port */
export function tokenErrors(
    tenants: readonly { readonly keys: readonly { readonly sha256: string }[] }[],
    tokens: readonly PortToken[],
): readonly string[] {
    return tenants.flatMap(({ keys }, at) =>
        tokens
            .filter(({ sha256 }) => keys.some((key) => key.sha256 === sha256))
            .map(
                ({ variable }) =>
                    `tenants[${at}].keys has the value of ${variable}; allowed: a key of its own`,
            ),
    );
}
