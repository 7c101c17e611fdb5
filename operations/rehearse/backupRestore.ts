import { otherColour } from "@property-search/contract";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { withPrimaries } from "../backup/command.ts";
import { readBackup } from "../backup/file.ts";
import { embed } from "../gateway/client.ts";
import { readLiveWeights } from "../gateway/endpoint.ts";
import { openClient } from "./client.ts";
import { withGoal } from "./evidence.ts";
import { evidenceFolder } from "./journal.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { redisMode } from "./workloads.ts";

/** Texts that only this rehearsal requests. */
const SEEDS = 200;
/** Entries that expire sooner, such as leases, need not exist after the restore. */
const SHORT_LIVED_MILLISECONDS = 300_000;

interface Saved {
    /** Backup of Redis from before the fault. */
    readonly file: string;
}

/** Redis loses its entries and gets them back from a backup. */
export const backupRestore: Rehearsal = {
    name: "backup-restore",
    purpose:
        "Redis is backed up, loses all entries, and is restored: entries are equal, and texts are hits again.",
    precondition: "the stack runs its own Redis",
    duration: { whole: 50, quick: 50 },
    alerts: [],
    inapplicable: async ({ cluster }) =>
        (await redisMode(cluster)) === "external" ? "redis.mode is external" : undefined,
    run: async (context) => {
        const { cluster, stack, contextWords, folder, traffic } = context;
        const client = await openClient(cluster, stack);
        const weights = await readLiveWeights(cluster);
        const active = weights.green > weights.blue ? "green" : "blue";
        const run = Date.now();
        /** @returns ratio (0–1) of hits */
        const requestSeeds = async (colour: typeof active) => {
            let hits = 0;
            for (let index = 0; index < SEEDS; index += 1) {
                const { cache } = await embed(client, [`Seed ${index} of ${run}`], colour);
                if (cache.every((status) => status.startsWith("HIT"))) hits += 1;
            }
            return hits / SEEDS;
        };
        await context.step(`cache ${SEEDS} texts`, () => requestSeeds(active));
        // Outside of the run's folder: an interrupted run is put back from it.
        const running = path.join(evidenceFolder(), "running");
        await mkdir(running, { recursive: true, mode: 0o700 });
        const file = path.join(running, `redis-${run}.gz`);
        await context.make("back up", ["backup", `OUT=${file}`, ...contextWords]);
        const before = await readEntries(file);

        await context.beginFault({ file } satisfies Saved);
        const lost = Date.now();
        await context.step("lose all entries (FLUSHALL)", () =>
            withPrimaries(cluster, async ({ all }) => {
                await Promise.all(all.map(({ client: redis }) => redis.flushall()));
            }),
        );
        const repair = Date.now();
        await context.make("restore", ["restore", `IN=${file}`, ...contextWords]);
        const restored = Date.now();
        const again = path.join(folder, "after.gz");
        await context.make("back up again, to compare", [
            "backup",
            `OUT=${again}`,
            ...contextWords,
        ]);
        const { equal, changed, missing } = compareEntries(before, await readEntries(again), lost);
        // The other colour has never had these texts in its memory: its hits are from Redis.
        const hits = await context.step("request the texts at the colour without traffic", () =>
            requestSeeds(otherColour(active)),
        );

        context.figure(withGoal("failed requests", "", traffic.failed(), "==", 0));
        context.measure("entries in the backup", "", before.size);
        context.figure(withGoal("entries missing after the restore", "", missing, "==", 0));
        context.figure(withGoal("entries equal", "", equal, ">=", SEEDS));
        context.measure("entries that traffic has written since", "", changed);
        context.figure(withGoal("hit rate of restored texts", "", hits, ">=", 0.99));
        context.figure(
            withGoal("duration of make restore", "s", (restored - repair) / 1000, "<=", 60),
        );
        context.measure("time to recover", "s", (restored - lost) / 1000);
    },
    putBack: async (target, { file }: Saved) => {
        if (!existsSync(file)) return;
        // Existing keys stay, so a second restore changes nothing.
        await target.make("restore what is missing", [
            "restore",
            `IN=${file}`,
            ...target.contextWords,
        ]);
        await rm(file);
    },
};

interface Entry {
    /** Output of DUMP, in base64. */
    readonly value: string;
    /** Unix time in milliseconds; undefined: never. */
    readonly expiresAt: number | undefined;
}

async function readEntries(file: string): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    for await (const { key, value, expiresAt } of readBackup(file)) {
        entries.set(key.toString("base64"), { value: value.toString("base64"), expiresAt });
    }
    return entries;
}

/**
 * Counts the entries of a backup that are in a later one, unchanged or not.
 *
 * @param lost time of the loss, in milliseconds since the epoch
 */
export function compareEntries(
    before: ReadonlyMap<string, Entry>,
    after: ReadonlyMap<string, Entry>,
    lost: number,
): { readonly equal: number; readonly changed: number; readonly missing: number } {
    const counts = { equal: 0, changed: 0, missing: 0 };
    for (const [key, { value, expiresAt }] of before) {
        const found = after.get(key);
        if (found === undefined) {
            if ((expiresAt ?? Infinity) > lost + SHORT_LIVED_MILLISECONDS) counts.missing += 1;
        } else if (found.value === value && found.expiresAt === expiresAt) counts.equal += 1;
        else counts.changed += 1;
    }
    return counts;
}
