import type { Limits } from "@property-search/contract";

import type { Input } from "../input.ts";
import { estimateInputTokens } from "../upstream/estimateTokens.ts";
import { secondsToNextMinute, type OnRejected } from "./rejection.ts";
import { LimitError } from "../upstream/limitError.ts";
import type { Usage } from "./usage.ts";

/** Token limits of tenants: tokens are reserved by estimate before a call, and settled when it is billed. */
export interface TokenBudget {
    /**
     * @returns undefined for a tenant without token limits
     * @throws LimitError (rejection) if a limit would be exceeded
     */
    readonly reserve: (
        tenant: string,
        inputs: readonly Input[],
    ) => Promise<Reservation> | undefined;
}

export interface Reservation {
    /** Charges a successful call, whatever the outcome of its request. */
    readonly charge: (inputs: readonly Input[], tokens: number) => void;
    /** Ends the reservation; no further call follows. */
    readonly end: () => void;
}

export interface TokenBudgetDependencies {
    readonly limitsOf: (tenant: string) => Limits | undefined;
    readonly usage: Usage;
    readonly onRejected?: OnRejected | undefined;
}

/** Weight of a new call in a tenant's moving average of tokens per byte. */
const SMOOTHING = 0.2;

export function createTokenBudget({
    limitsOf,
    usage,
    onRejected,
}: TokenBudgetDependencies): TokenBudget {
    /** Tokens per byte of a tenant's texts, from its billed calls. */
    const tokensPerByte = new Map<string, number>();
    const callsInFlight = new Map<string, number>();

    async function reserve(
        tenant: string,
        limits: Limits,
        inputs: readonly Input[],
    ): Promise<Reservation> {
        const size = sizeOf(inputs);
        let left = estimate(tenant, size);
        usage.reserve(tenant, left);
        add(callsInFlight, tenant, 1);
        const end = (): void => {
            usage.reserve(tenant, -left);
            add(callsInFlight, tenant, -1);
        };
        try {
            const expected = inputs.reduce((sum, input) => sum + estimateInputTokens(input), 0);
            check(tenant, limits, left, expected);
            // Other pods may have reserved concurrently; after the sync, all pods know all reservations.
            await usage.sync(tenant);
            check(tenant, limits, left, expected);
        } catch (error) {
            end();
            throw error;
        }
        return {
            charge: (called, tokens) => {
                learn(tenant, sizeOf(called), tokens);
                const charged = Math.min(left, tokens);
                left -= charged;
                usage.reserve(tenant, -charged);
                usage.addTokens(tenant, tokens);
            },
            end,
        };
    }

    /**
     * @param reserved tokens reserved for this call
     * @param expected estimate by the inputs alone, for a tenant's only call: neither one token per byte nor what was
     * learned from other texts may reject it for ever
     * @throws LimitError
     */
    function check(tenant: string, limits: Limits, reserved: number, expected: number): void {
        const { tokensPerMinute = Infinity, tokensPerMonth = Infinity } = limits;
        const { tokensThisMinute, tokensThisMonth } = usage.get(tenant, limits);
        const isOnlyCall = callsInFlight.get(tenant) === 1;
        const own = isOnlyCall ? Math.min(reserved, expected) : reserved;
        const leftOf = (limit: number, used: number): number =>
            Math.max(0, limit - used + reserved);
        const leftThisMonth = leftOf(tokensPerMonth, tokensThisMonth);
        const leftThisMinute = leftOf(tokensPerMinute, tokensThisMinute);
        if (own > leftThisMonth) {
            onRejected?.(tenant, "quota");
            throw new LimitError(
                "insufficient_quota",
                `This request needs about ${own} tokens; left of your quota of ${tokensPerMonth} a month: ${leftThisMonth}`,
            );
        }
        if (own > leftThisMinute) {
            onRejected?.(tenant, "tokens");
            throw new LimitError(
                "tokens",
                `This request needs about ${own} tokens; left of your ${tokensPerMinute} tokens a minute: ${leftThisMinute}`,
                // A request that can never fit has no retry-after.
                own > tokensPerMinute ? undefined : secondsToNextMinute(),
            );
        }
    }

    /** A token has at least one byte, which is the estimate until the first bill. */
    function estimate(tenant: string, { bytes, ids }: Size): number {
        if (bytes === 0) return ids;
        return ids + Math.max(1, Math.round(bytes * (tokensPerByte.get(tenant) ?? 1)));
    }

    function learn(tenant: string, { bytes, ids }: Size, tokens: number): void {
        if (bytes === 0) return;
        const observed = Math.max(0, tokens - ids) / bytes;
        const before = tokensPerByte.get(tenant) ?? observed;
        tokensPerByte.set(tenant, before + (observed - before) * SMOOTHING);
    }

    return {
        reserve: (tenant, inputs) => {
            const limits = limitsOf(tenant);
            const isLimited =
                limits?.tokensPerMinute !== undefined || limits?.tokensPerMonth !== undefined;
            return isLimited ? reserve(tenant, limits, inputs) : undefined;
        },
    };
}

interface Size {
    readonly bytes: number;
    readonly ids: number;
}

function sizeOf(inputs: readonly Input[]): Size {
    let [bytes, ids] = [0, 0];
    for (const input of inputs) {
        if (input.kind === "text") bytes += Buffer.byteLength(input.text);
        else ids += input.ids.length;
    }
    return { bytes, ids };
}

function add(counts: Map<string, number>, key: string, by: number): void {
    counts.set(key, (counts.get(key) ?? 0) + by);
}
