import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { withPrimaries } from "../backup/command.ts";
import { compareEntries, openSeeds, readEntries, SEEDS } from "./cacheEntries.ts";
import { withGoal } from "./evidence.ts";
import { createPutBackFile } from "./journal.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { redisMode } from "./workloads.ts";

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
        const { cluster, stack, contextWords, folder } = context;
        const seeds = await openSeeds(cluster, stack);
        await context.step(`cache ${SEEDS} texts`, seeds.cache);
        const file = await createPutBackFile();
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
        const hits = await context.step(
            "request the texts at the colour without traffic",
            seeds.readFromRedis,
        );

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
