import { CACHE_KEY_PREFIX, GHOST_TTLS_SECONDS } from "@property-search/contract";
import { Cluster, type Redis } from "ioredis";

import { isIdInLevel, MAX_LEVEL } from "./sample.ts";

/** What is recorded of one sampled key. Times are whole seconds since the Unix epoch; 0: none. */
export interface KeyEvents {
    readonly id: string;
    readonly requestedAt: number;
    /** Creation and end of the lifetime of an entry that is in Redis. */
    readonly storedAt: number;
    readonly freshUntil: number;
}

/** What was known of a key before the events. */
export interface KeyHistory {
    readonly firstRequestAt: number;
    readonly lastRequestAt: number;
    readonly storedAt: number;
    readonly freshUntil: number;
    /** By place in GHOST_TTLS_SECONDS: whether entries of this lifetime would have needed a fetch for the request. */
    readonly needsFetch: readonly boolean[];
}

export interface RegistryState {
    /** Since when all requests for sampled keys are recorded, in seconds. */
    readonly since: number;
    /** Whether Redis had no entry then: there is nothing older to know. */
    readonly isComplete: boolean;
    /** When a pod last lost events, in seconds; 0: never. A key without a history may have been requested before. */
    readonly lostAt: number;
    /** Halvings of the sample. */
    readonly level: number;
}

export interface RecordedEvents {
    readonly state: RegistryState;
    /** Undefined: the key was not recorded, since the registry is full. */
    readonly histories: readonly (KeyHistory | undefined)[];
}

/** History of the sampled keys, shared by all pods of both colours. Each operation fails after Redis' timeout. */
export interface GhostRegistry {
    /**
     * @param lostAt when this pod last lost events, in seconds; 0: it has not
     * @returns undefined if there is no registry: `establish` creates one
     */
    readonly record: (
        events: readonly KeyEvents[],
        lostAt?: number,
    ) => Promise<RecordedEvents | undefined>;
    /** Creates the registry, unless another pod has. */
    readonly establish: (now: number, isComplete: boolean) => Promise<void>;
    /**
     * Forgets keys without a request for MEMORY_SECONDS. Then, if it is still full, halves the sample; if it has had few
     * keys for MEMORY_SECONDS, doubles it.
     */
    readonly tidy: (now: number) => Promise<void>;
    readonly isFull: () => boolean;
}

/** Keys without a request for this time are forgotten. */
export const MEMORY_SECONDS = GHOST_TTLS_SECONDS.at(-1) ?? NaN;
/** Some 140 bytes each in Redis. Twice as many are the limit while the registry shrinks. */
export const MAX_KEYS = 16_384;
/** Share of MAX_KEYS that must be free after forgetting; otherwise the next scan would follow at once. */
const FREE_SHARE = 0.25;
const SCAN_COUNT = 512;
const TIDY_LEASE_MILLISECONDS = 60_000;

// One hash: if Redis evicts it, or is emptied, all of it is lost, and known to be lost.
const KEY = `${CACHE_KEY_PREFIX}{ghosts}`;
const LEASE = `${CACHE_KEY_PREFIX}{ghosts}:shrink`;
/** Fields about the registry; IDs of keys have no colon. */
const META = { since: ":since", complete: ":complete", level: ":level", lost: ":lost" } as const;
const META_FIELDS = Object.keys(META).length;

/** First and last request, creation and end of the entry, then for each lifetime the time of its last fetch. */
const FIELDS = 4 + GHOST_TTLS_SECONDS.length;
const FORMAT = `<${"I4".repeat(FIELDS)}`;
const LAST_REQUEST_OFFSET = 4;
const FRESH_UNTIL_OFFSET = 12;
const EVENT_WORDS = 4;
const REPLY_WORDS = 5;
const REFUSED = -1;

/** Atomic, because pods record the same keys at the same time. Without TIME, which an external Redis may deny. */
const RECORD = `
local meta = redis.call('hmget', KEYS[1], '${META.since}', '${META.complete}', '${META.level}', '${META.lost}')
if not meta[1] then return false end
local lost = math.max(tonumber(meta[4]), tonumber(ARGV[1]))
if lost > tonumber(meta[4]) then redis.call('hset', KEYS[1], '${META.lost}', lost) end
local ttls = {${GHOST_TTLS_SECONDS.join(",")}}
local room = ${2 * MAX_KEYS + META_FIELDS} - redis.call('hlen', KEYS[1])
local reply = {tonumber(meta[1]), tonumber(meta[2]), tonumber(meta[3]), lost, room}
for at = 2, #ARGV, ${EVENT_WORDS} do
    local id, requested = ARGV[at], tonumber(ARGV[at + 1])
    local stored, fresh = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local old = redis.call('hget', KEYS[1], id)
    local record
    if old and #old == ${FIELDS * 4} then record = {struct.unpack('${FORMAT}', old)}
    else
        record = {}
        for field = 1, ${FIELDS} do record[field] = 0 end
    end
    local fetches = 0
    if not old and room <= 0 then fetches = ${REFUSED}
    elseif not old then room = room - 1 end
    for field = 1, 4 do reply[#reply + 1] = record[field] end
    if fetches == 0 then
        if requested > 0 then
            for place, ttl in ipairs(ttls) do
                local fetched = record[4 + place]
                if fetched == 0 or requested - fetched >= ttl then
                    fetches = fetches + 2 ^ (place - 1)
                    record[4 + place] = requested
                end
            end
            if record[1] == 0 then record[1] = requested end
            record[2] = math.max(record[2], requested)
        end
        if stored > record[3] then
            record[3] = stored
            record[4] = fresh
        end
        redis.call('hset', KEYS[1], id, struct.pack('${FORMAT}', unpack(record, 1, ${FIELDS})))
    end
    reply[#reply + 1] = fetches
end
reply[5] = room
return reply`;

const ESTABLISH = `
if redis.call('hsetnx', KEYS[1], '${META.since}', ARGV[1]) == 0 then return 0 end
return redis.call('hset', KEYS[1], '${META.complete}', ARGV[2], '${META.level}', 0, '${META.lost}', 0)`;

export function createRedisGhostRegistry(client: Redis | Cluster): GhostRegistry {
    let keys = 0;

    /** @returns number of keys that are left */
    async function forget(now: number, level: number): Promise<number> {
        let left = 0;
        let cursor = "0";
        do {
            const [next, found] = await client.hscanBuffer(KEY, cursor, "COUNT", SCAN_COUNT);
            cursor = next.toString();
            const forgotten: string[] = [];
            for (let at = 0; at + 1 < found.length; at += 2) {
                const id = found[at]?.toString("latin1") ?? "";
                if (id.startsWith(":")) continue;
                if (isIdInLevel(id, level) && !isForgotten(found[at + 1], now)) left += 1;
                else forgotten.push(id);
            }
            if (forgotten.length > 0) await client.hdel(KEY, ...forgotten);
        } while (cursor !== "0");
        return left;
    }

    async function tidy(now: number): Promise<void> {
        const [since = 0, level = 0] = (await client.hmget(KEY, META.since, META.level)).map(
            Number,
        );
        keys = await forget(now, level);
        if (keys > MAX_KEYS * (1 - FREE_SHARE) && level < MAX_LEVEL) {
            await client.hset(KEY, META.level, level + 1);
            keys = await forget(now, level + 1);
        } else if (now - since >= MEMORY_SECONDS) {
            let lower = level;
            while (lower > 0 && keys * 2 ** (level - lower + 1) <= MAX_KEYS / 2) lower -= 1;
            // The keys that return to the sample have no history, so that it begins again.
            if (lower < level)
                await client.hset(KEY, META.level, lower, META.since, now, META.complete, 0);
        }
    }

    return {
        record: async (events, lostAt = 0) => {
            const reply = (await client.eval(
                RECORD,
                1,
                KEY,
                String(lostAt),
                ...events.flatMap(({ id, requestedAt, storedAt, freshUntil }) => [
                    ...[id, String(requestedAt)],
                    ...[String(storedAt), String(freshUntil)],
                ]),
            )) as readonly number[] | null;
            if (reply === null) return undefined;
            const [since = 0, complete = 0, level = 0, lost = 0, room = 0, ...words] = reply;
            keys = 2 * MAX_KEYS - room;
            return {
                state: { since, isComplete: complete === 1, lostAt: lost, level },
                histories: events.map((_, at) => parseHistory(words, at * REPLY_WORDS)),
            };
        },
        establish: async (now, isComplete) => {
            await client.eval(ESTABLISH, 1, KEY, String(now), isComplete ? "1" : "0");
        },
        tidy: async (now) => {
            const isMine = await client.set(LEASE, "1", "PX", TIDY_LEASE_MILLISECONDS, "NX");
            if (isMine === null) return;
            try {
                await tidy(now);
            } finally {
                await client.unlink(LEASE);
            }
        },
        isFull: () => keys > MAX_KEYS,
    };
}

function parseHistory(words: readonly number[], from: number): KeyHistory | undefined {
    const [firstRequestAt = 0, lastRequestAt = 0, storedAt = 0, freshUntil = 0, fetches = REFUSED] =
        words.slice(from, from + REPLY_WORDS);
    if (fetches === REFUSED) return undefined;
    const needsFetch = GHOST_TTLS_SECONDS.map((_, place) => (fetches & (1 << place)) !== 0);
    return { firstRequestAt, lastRequestAt, storedAt, freshUntil, needsFetch };
}

function isForgotten(record: Buffer | undefined, now: number): boolean {
    if (record?.length !== FIELDS * 4) return true;
    const lastUsed = Math.max(
        record.readUInt32LE(LAST_REQUEST_OFFSET),
        record.readUInt32LE(FRESH_UNTIL_OFFSET),
    );
    return lastUsed < now - MEMORY_SECONDS;
}
