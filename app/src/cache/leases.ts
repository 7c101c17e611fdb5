import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { detach } from "../detached.ts";
import type { Log } from "../log.ts";
import type { RedisCommands } from "./redisClient.ts";
import type { SharedCache } from "./tiers.ts";

export interface Leases extends Pick<SharedCache, "lease" | "release"> {
    /** Gives back now what could not be given back before. */
    readonly pay: () => void;
    readonly stop: () => void;
}

export interface LeasesOptions {
    /** Whether Redis answers; while it does not, it is not asked. */
    readonly available: () => boolean;
    readonly log: Log;
}

interface Owed {
    readonly key: string;
    readonly token: string;
}

const LEASE_PREFIX = `${CACHE_KEY_PREFIX}lease:`;
const RETRY_MILLISECONDS = 500;
/** Above, what could not be given back ends by its own time. */
const MAX_OWED = 10_000;
/** More are asked for one list after the other, each within the time of an operation. */
const LONGEST_LIST = 256;
/** A Redis that forbids EVAL is not asked again for so long. */
const PAUSE_MILLISECONDS = 60_000;

/**
 * Leases in Redis. One whose asking or giving back got no answer may stand there all the same, or come to
 * stand when a Redis that hung works off what it was sent; other pods would wait for it. So it is given
 * back until Redis answers. After an answer that is an error, it ends by its own time.
 */
export function leases(
    commands: Pick<RedisCommands, "claim" | "yield">,
    { available, log }: LeasesOptions,
): Leases {
    /** Those that may stand in Redis. */
    const held = new Set<string>();
    const owed = new Map<string, Owed>();
    let timer: NodeJS.Timeout | undefined;
    let pausedUntil = -Infinity;

    /** Who cannot ask need not wait for anybody either. */
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
            log.debug({ error: String(error) }, "A lease could not be asked for");
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
            if (!available()) throw new Error("Redis does not answer");
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
            "Redis forbids EVAL: leases are not released, and end by their own time",
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

/** Redis has answered, with an error. */
function isReply(error: unknown): error is Error {
    return error instanceof Error && error.name === "ReplyError";
}

/** By its access list, or because the command is renamed. */
function isForbidden({ message }: Error): boolean {
    return /^(NOPERM|ERR unknown command)/.test(message);
}

function nameOf(key: string, token: string): string {
    return `${token} ${key}`;
}

function leaseKey(key: string): string {
    return LEASE_PREFIX + key;
}
