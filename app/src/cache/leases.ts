import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { RedisCommands } from "../redis/client.ts";
import type { SharedCache } from "./tiers.ts";

export interface Leases extends Pick<SharedCache, "lease" | "release"> {
    /** Retries the pending releases now. */
    readonly pay: () => void;
    readonly stop: () => void;
}

export interface LeasesOptions {
    /** Whether Redis is available; while it is not, no command is sent. */
    readonly available: () => boolean;
    readonly log: Log;
}

interface Owed {
    readonly key: string;
    readonly token: string;
}

const LEASE_PREFIX = `${CACHE_KEY_PREFIX}lease:`;
const RETRY_MILLISECONDS = 500;
/** Beyond this, unreleased leases expire. */
const MAX_OWED = 10_000;
/** Longer lists are split, so that each command finishes within the operation timeout. */
const LONGEST_LIST = 256;
/** Pause after Redis has denied EVAL. */
const PAUSE_MILLISECONDS = 60_000;

/**
 * Leases in Redis. A lease whose acquisition or release timed out may exist anyway, and other pods would wait
 * for it, so its release is retried until Redis responds. After an error reply, the lease expires by itself.
 */
export function leases(
    commands: Pick<RedisCommands, "claim" | "yield">,
    { available, log }: LeasesOptions,
): Leases {
    /** Leases that may exist in Redis. */
    const held = new Set<string>();
    const owed = new Map<string, Owed>();
    let timer: NodeJS.Timeout | undefined;
    let pausedUntil = -Infinity;

    /** Without Redis all leases are granted, because there are no other pods to wait for. */
    async function lease(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<ReadonlySet<string>> {
        if (!available()) return new Set(keys);
        if (keys.length > LONGEST_LIST) {
            const first = await lease(keys.slice(0, LONGEST_LIST), token, milliseconds);
            const others = await lease(keys.slice(LONGEST_LIST), token, milliseconds);
            return new Set([...first, ...others]);
        }
        for (const key of keys) held.add(nameOf(key, token));
        try {
            const won = await commands.claim(keys.map(leaseKey), token, milliseconds);
            for (const [index, key] of keys.entries()) {
                if (!won[index]) held.delete(nameOf(key, token));
            }
            return new Set(keys.filter((_, index) => won[index]));
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be acquired");
            return new Set(keys);
        }
    }

    function release(keys: readonly string[], token: string, milliseconds: number): void {
        const mine = keys.filter((key) => held.has(nameOf(key, token)));
        if (mine.length > 0) detach(giveBack(mine, token, milliseconds));
    }

    async function giveBack(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<void> {
        if (performance.now() < pausedUntil) {
            forget(keys, token);
            return;
        }
        try {
            if (!available()) throw new Error("Redis is unavailable");
            await commands.yield(keys.map(leaseKey), token, milliseconds);
            forget(keys, token);
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be released");
            if (isReply(error)) {
                forget(keys, token);
                if (isForbidden(error)) pause(error);
            } else for (const key of keys) owe(key, token);
        }
    }

    function forget(keys: readonly string[], token: string): void {
        for (const key of keys) held.delete(nameOf(key, token));
    }

    function pause({ message }: Error): void {
        const first = pausedUntil === -Infinity;
        pausedUntil = performance.now() + PAUSE_MILLISECONDS;
        if (!first) return;
        log.warn(
            { error: message },
            "Redis denies EVAL: leases are not released and expire instead",
        );
    }

    function owe(key: string, token: string): void {
        const name = nameOf(key, token);
        if (owed.size >= MAX_OWED) {
            held.delete(name);
            return;
        }
        owed.set(name, { key, token });
        timer ??= setInterval(pay, RETRY_MILLISECONDS).unref();
    }

    function pay(): void {
        if (!available()) return;
        stop();
        const debts = Map.groupBy(owed.values(), ({ token }) => token);
        owed.clear();
        for (const [token, of] of debts) {
            const keys = of.map(({ key }) => key);
            detach(giveBack(keys, token, 0));
        }
    }

    function stop(): void {
        clearInterval(timer);
        timer = undefined;
    }

    return { lease, release, pay, stop };
}

/** Whether Redis replied with an error. */
function isReply(error: unknown): error is Error {
    return error instanceof Error && error.name === "ReplyError";
}

/** Denied by an ACL, or because the command was renamed. */
function isForbidden({ message }: Error): boolean {
    return /^(NOPERM|ERR unknown command)/.test(message);
}

function nameOf(key: string, token: string): string {
    return `${token} ${key}`;
}

function leaseKey(key: string): string {
    return LEASE_PREFIX + key;
}
