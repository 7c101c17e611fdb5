import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { RedisCommands } from "../redis/client.ts";
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

interface PendingRelease {
    readonly key: string;
    readonly token: string;
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
    const leaseIds = new Set<string>();
    const pendingReleases = new Map<string, PendingRelease>();
    let timer: NodeJS.Timeout | undefined;
    let pausedUntil = -Infinity;

    /** Without Redis all leases are granted, because there are no other pods to wait for. */
    async function acquireLeases(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<ReadonlySet<string>> {
        if (!isAvailable()) return new Set(keys);
        if (keys.length > MAX_KEYS_PER_COMMAND) {
            const first = await acquireLeases(
                keys.slice(0, MAX_KEYS_PER_COMMAND),
                token,
                milliseconds,
            );
            const others = await acquireLeases(
                keys.slice(MAX_KEYS_PER_COMMAND),
                token,
                milliseconds,
            );
            return new Set([...first, ...others]);
        }
        for (const key of keys) leaseIds.add(leaseId(key, token));
        try {
            const won = await commands.acquireLeases(keys.map(leaseKey), token, milliseconds);
            for (const [index, key] of keys.entries()) {
                if (!won[index]) leaseIds.delete(leaseId(key, token));
            }
            return new Set(keys.filter((_, index) => won[index]));
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be acquired");
            return new Set(keys);
        }
    }

    function releaseLeases(keys: readonly string[], token: string, milliseconds: number): void {
        const heldKeys = keys.filter((key) => leaseIds.has(leaseId(key, token)));
        if (heldKeys.length > 0) detach(sendRelease(heldKeys, token, milliseconds));
    }

    async function sendRelease(
        keys: readonly string[],
        token: string,
        milliseconds: number,
    ): Promise<void> {
        if (performance.now() < pausedUntil) {
            dropHeld(keys, token);
            return;
        }
        try {
            if (!isAvailable()) throw new Error("Redis is unavailable");
            await commands.releaseLeases(keys.map(leaseKey), token, milliseconds);
            dropHeld(keys, token);
        } catch (error) {
            log.debug({ error: String(error) }, "A lease could not be released");
            if (isErrorReply(error)) {
                dropHeld(keys, token);
                if (isForbidden(error)) pause(error);
            } else for (const key of keys) scheduleRetry(key, token);
        }
    }

    function dropHeld(keys: readonly string[], token: string): void {
        for (const key of keys) leaseIds.delete(leaseId(key, token));
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

    function scheduleRetry(key: string, token: string): void {
        const id = leaseId(key, token);
        if (pendingReleases.size >= MAX_PENDING_RELEASES) {
            leaseIds.delete(id);
            return;
        }
        pendingReleases.set(id, { key, token });
        timer ??= setInterval(retryReleases, RETRY_MILLISECONDS).unref();
    }

    function retryReleases(): void {
        if (!isAvailable()) return;
        stop();
        const releasesByToken = Map.groupBy(pendingReleases.values(), ({ token }) => token);
        pendingReleases.clear();
        for (const [token, releases] of releasesByToken) {
            const keys = releases.map(({ key }) => key);
            detach(sendRelease(keys, token, 0));
        }
    }

    function stop(): void {
        clearInterval(timer);
        timer = undefined;
    }

    return { acquireLeases, releaseLeases, retryReleases, stop };
}

/** Whether Redis replied with an error. */
export function isErrorReply(error: unknown): error is Error {
    return error instanceof Error && error.name === "ReplyError";
}

/** Denied by an ACL, or because the command was renamed. */
function isForbidden({ message }: Error): boolean {
    return /^(NOPERM|ERR unknown command)/.test(message);
}

function leaseId(key: string, token: string): string {
    return `${token} ${key}`;
}

function leaseKey(key: string): string {
    return LEASE_PREFIX + key;
}
