import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { RedisCommands } from "../redis/client.ts";
import { isErrorReply } from "../redis/errorReply.ts";
import type { SharedCache } from "./tiers.ts";

export interface Leases extends Pick<SharedCache, "acquireLeases" | "releaseLeases"> {
    /** Retries the pending releases now. */
    readonly retryReleases: () => void;
    readonly stop: () => void;
}

export interface LeasesOptions {
    /** Whether Redis is available; while it is not, no command is sent. */
    readonly isAvailable: () => boolean;
    readonly log: Log;
}

const LEASE_PREFIX = `${CACHE_KEY_PREFIX}lease:`;
const RETRY_MILLISECONDS = 500;
/** Beyond this, unreleased leases expire. */
const MAX_PENDING_RELEASES = 10_000;
/** Longer lists are split, so that each command finishes within the operation timeout. */
const MAX_KEYS_PER_COMMAND = 256;
/** Pause after Redis has denied EVAL. */
const PAUSE_MILLISECONDS = 60_000;

/**
 * Leases in Redis. A lease whose acquisition or release timed out may exist anyway, and other pods would wait
 * for it, so its release is retried until Redis responds. After an error reply, the lease expires.
 */
export function createLeases(
    commands: Pick<RedisCommands, "acquireLeases" | "releaseLeases">,
    { isAvailable, log }: LeasesOptions,
): Leases {
    /** Leases that may exist in Redis. */
    const held = new KeysByToken();
    const pendingReleases = new KeysByToken();
    let timer: NodeJS.Timeout | undefined;
    let pausedUntil = -Infinity;

    /** Without Redis all leases are granted, because there are no other pods to wait for. */
    async function acquireLeases(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<ReadonlySet<string>> {
        if (!isAvailable()) return new Set(keys);
        const granted = new Set<string>();
        for (let at = 0; at < keys.length; at += MAX_KEYS_PER_COMMAND) {
            const part = keys.slice(at, at + MAX_KEYS_PER_COMMAND);
            for (const key of await acquirePart(part, token, milliseconds)) granted.add(key);
        }
        return granted;
    }

    async function acquirePart(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<readonly string[]> {
        held.add(token, keys);
        try {
            const won = await commands.acquireLeases(keys.map(leaseKey), token, milliseconds);
            const byResult = Object.groupBy(keys, (_, index) => (won[index] ? "won" : "lost"));
            held.remove(token, byResult.lost ?? []);
            return byResult.won ?? [];
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be acquired");
            return keys;
        }
    }

    function releaseLeases(keys: readonly string[], token: string, milliseconds: number): void {
        const heldKeys = held.among(token, keys);
        if (heldKeys.length > 0) detach(sendRelease(heldKeys, token, milliseconds));
    }

    async function sendRelease(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<void> {
        if (performance.now() < pausedUntil) {
            held.remove(token, keys);
            return;
        }
        try {
            if (!isAvailable()) throw new Error("Redis is unavailable");
            await commands.releaseLeases(keys.map(leaseKey), token, milliseconds);
            held.remove(token, keys);
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be released");
            if (isErrorReply(error)) {
                held.remove(token, keys);
                if (isForbidden(error)) pause(error);
            } else scheduleRetry(keys, token);
        }
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

    function scheduleRetry(keys: readonly string[], token: string): void {
        const retried = keys.slice(0, Math.max(0, MAX_PENDING_RELEASES - pendingReleases.size));
        held.remove(token, keys.slice(retried.length));
        pendingReleases.add(token, retried);
        timer ??= setInterval(retryReleases, RETRY_MILLISECONDS).unref();
    }

    function retryReleases(): void {
        if (!isAvailable()) return;
        stop();
        for (const [token, keys] of pendingReleases.takeAll()) detach(sendRelease(keys, token, 0));
    }

    function stop(): void {
        clearInterval(timer);
        timer = undefined;
    }

    return { acquireLeases, releaseLeases, retryReleases, stop };
}

/** Denied by an ACL, or because the command was renamed. */
function isForbidden({ message }: Error): boolean {
    return /^(NOPERM|ERR unknown command)/.test(message);
}

function leaseKey(key: string): string {
    return LEASE_PREFIX + key;
}

/** Sets of keys, each of one token: joining both into one string takes longer than the sets. */
class KeysByToken {
    readonly #keys = new Map<string, Set<string>>();

    get size(): number {
        let sum = 0;
        for (const { size } of this.#keys.values()) sum += size;
        return sum;
    }

    add(token: string, keys: readonly string[]): void {
        if (keys.length === 0) return;
        const own = this.#keys.get(token) ?? new Set();
        this.#keys.set(token, own);
        for (const key of keys) own.add(key);
    }

    remove(token: string, keys: readonly string[]): void {
        const own = this.#keys.get(token);
        for (const key of keys) own?.delete(key);
        if (own?.size === 0) this.#keys.delete(token);
    }

    among(token: string, keys: readonly string[]): readonly string[] {
        const own = this.#keys.get(token);
        return own ? keys.filter((key) => own.has(key)) : [];
    }

    /** Removes all keys. */
    takeAll(): readonly (readonly [string, readonly string[]])[] {
        const all = [...this.#keys].map(([token, keys]) => [token, [...keys]] as const);
        this.#keys.clear();
        return all;
    }
}
