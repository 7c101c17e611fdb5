import { describe, expect, test } from "@jest/globals";
import { parseExperiments } from "@property-search/contract";
import fc from "fast-check";
import { pino } from "pino";

import { VersionConflictError } from "../../src/redis/versionedRecord.ts";
import type { VersionedStore } from "../../src/redis/versionedStore.ts";
import type { SettingsRecord } from "../../src/runtimeSettings/record.ts";
import { createRuntimeSettings } from "../../src/runtimeSettings/runtimeSettings.ts";
import { createStubVersionedStore } from "../support/versionedStore.ts";

const DAY = 86_400;
const WEEK = 7 * DAY;
const BY = { actor: "tuner", reason: "a test" };

interface PodOptions {
    readonly ttlSeconds?: number;
    readonly entriesLimit?: number;
    readonly experiments?: string;
}

function createPod(store: VersionedStore, options: PodOptions = {}) {
    const changes: number[] = [];
    const settings = createRuntimeSettings({
        store,
        configured: {
            cacheTtlSeconds: options.ttlSeconds ?? WEEK,
            localCacheMaxEntries: 2_000,
            staleIfErrorSeconds: DAY,
        },
        localCacheEntriesLimit: options.entriesLimit ?? 50_000,
        experiments: parseExperiments(options.experiments ?? ""),
        onChange: () => void changes.push(settings.valueOf("localCacheMaxEntries")),
        log: pino({ level: "silent" }),
    });
    const poll = async (): Promise<void> => {
        await settings.start();
        settings.stop();
    };
    const ttl = () => settings.valueOf("cacheTtlSeconds");
    const tune = (seconds: number | null) =>
        settings.change(settings.state().version + 1, {
            ...BY,
            values: { cacheTtlSeconds: seconds },
        });
    return { ...settings, changes, poll, ttl, tune };
}

describe("a tuned value", () => {
    test("is in force in all pods and after a restart, until null restores the configured one", async () => {
        const { store } = createStubVersionedStore();
        const [one, other] = [createPod(store), createPod(store)];
        await one.tune(DAY);
        await other.poll();
        const restarted = createPod(store);
        expect(restarted.ttl()).toBe(WEEK);
        await restarted.poll();
        expect([one, other, restarted].map(({ ttl }) => ttl())).toEqual([DAY, DAY, DAY]);
        expect(other.state().settings.cacheTtlSeconds).toMatchObject({
            value: DAY,
            source: "tuned",
            configured: WEEK,
            tuned: { value: DAY, configured: WEEK, ...BY },
        });

        await other.tune(null);
        await one.poll();
        expect([one.ttl(), other.ttl()]).toEqual([WEEK, WEEK]);
        expect(one.state().settings.cacheTtlSeconds).toMatchObject({
            source: "config",
            tuned: null,
        });
    });

    test("is dropped by pods with another configured value than it was derived from", async () => {
        const { store } = createStubVersionedStore();
        const before = createPod(store);
        await before.tune(DAY);
        const after = createPod(store, { ttlSeconds: 2 * WEEK });
        await after.poll();
        // During the rollout, old pods keep it.
        expect([before.ttl(), after.ttl()]).toEqual([DAY, 2 * WEEK]);
        expect(after.state().settings.cacheTtlSeconds).toMatchObject({
            value: 2 * WEEK,
            source: "config",
            tuned: { value: DAY, configured: WEEK },
        });
        // A value that is derived from the new one replaces it.
        await after.tune(3 * DAY);
        await before.poll();
        expect([before.ttl(), after.ttl()]).toEqual([WEEK, 3 * DAY]);
    });

    test("of two that follow the same version, one is rejected with the current version", async () => {
        const { store } = createStubVersionedStore();
        const [one, other] = [createPod(store), createPod(store)];
        await one.tune(DAY);
        await expect(other.tune(2 * DAY)).rejects.toThrow(new VersionConflictError(1, 1));
        expect(other.ttl()).toBe(DAY);
    });

    test("of the local cache is bounded by the memory of each pod", async () => {
        const { store } = createStubVersionedStore();
        const [large, small] = [createPod(store), createPod(store, { entriesLimit: 4_000 })];
        const values = { localCacheMaxEntries: 50_000 };
        await expect(small.change(1, { ...BY, values })).rejects.toThrow(
            "is 50000; allowed: a whole number from 1 to 4000, or null",
        );
        await large.change(1, { ...BY, values });
        await small.poll();
        expect([large.changes, small.changes]).toEqual([[50_000], [4_000]]);
    });

    test("is not accepted while an experiment varies the setting, which also wins over an earlier one", async () => {
        const { store } = createStubVersionedStore();
        const pod = createPod(store);
        await pod.tune(DAY);
        const experiments = '[{"name": "cache_ttl_optimization"}]';
        const trial = createPod(store, { experiments });
        await trial.poll();
        expect(trial.state().settings.cacheTtlSeconds).toMatchObject({
            value: null,
            source: "experiment",
            experiment: "cache_ttl_optimization",
        });
        await expect(trial.tune(2 * DAY)).rejects.toMatchObject({ code: "experiment_running" });
        await trial.change(2, { ...BY, values: { localCacheMaxEntries: 3_000 } });
        await trial.tune(null);
        expect(trial.state().settings.cacheTtlSeconds.tuned).toBeNull();
    });

    test("in Redis that is not valid changes nothing", async () => {
        const { store, overwrite } = createStubVersionedStore();
        const pod = createPod(store);
        await pod.tune(DAY);
        const stored = JSON.parse((await store.read()) ?? "") as SettingsRecord;
        const record = { ...stored, version: 2 };
        for (const invalid of [
            "no JSON",
            "null",
            JSON.stringify({ ...record, tuning: "maybe" }),
            JSON.stringify({
                ...record,
                tuned: { cacheTtlSeconds: { ...record.tuned.cacheTtlSeconds, value: 59 } },
            }),
        ]) {
            overwrite(2, invalid);
            await pod.poll();
            expect(pod.ttl()).toBe(DAY);
        }
        overwrite(2, JSON.stringify({ ...record, tuned: {} }));
        await pod.poll();
        expect(pod.ttl()).toBe(WEEK);
    });

    test("is restored to an emptied Redis, but not over a newer one", async () => {
        const { store, empty, stored } = createStubVersionedStore();
        const [one, other] = [createPod(store), createPod(store)];
        await one.tune(DAY);
        await other.poll();
        empty();
        await one.poll();
        expect(stored()?.version).toBe(1);
        await one.tune(2 * DAY);
        await store.restore(1, "an older record");
        await other.poll();
        expect(other.ttl()).toBe(2 * DAY);
    });
});

describe("the kill switch", () => {
    test("restores the configured values at once, whatever the version is, and rejects others until it is released", async () => {
        const { store } = createStubVersionedStore();
        const [tuned, other] = [createPod(store), createPod(store)];
        await tuned.change(1, {
            ...BY,
            values: { cacheTtlSeconds: DAY, localCacheMaxEntries: 9_000 },
        });
        const stopped = await other.switchTuning("stopped", { actor: "ann", reason: "odd" });
        expect(stopped).toMatchObject({ version: 2, tuning: "stopped", actor: "ann" });
        await tuned.poll();
        expect([tuned.ttl(), tuned.changes]).toEqual([WEEK, [9_000, 2_000]]);
        await expect(tuned.tune(DAY)).rejects.toMatchObject({ code: "tuning_stopped" });
        await tuned.tune(null);

        await other.switchTuning("allowed", { actor: "ann", reason: "understood" });
        await other.tune(DAY);
        expect(other.ttl()).toBe(DAY);
    });

    test("works while others keep changing the settings", async () => {
        const { store } = createStubVersionedStore();
        const busy = createPod(store);
        let races = 0;
        const raced: VersionedStore = {
            ...store,
            putNext: async (version, record) => {
                if ((races += 1) < 4) await busy.tune(DAY + races);
                return store.putNext(version, record);
            },
        };
        await createPod(raced).switchTuning("stopped", { actor: "ann", reason: "odd" });
        await busy.poll();
        expect([busy.state().tuning, busy.ttl()]).toEqual(["stopped", WEEK]);
    });
});

test("the longest lifetime covers every entry that any pod has written, after any changes", async () => {
    const seconds = fc.integer({ min: 60, max: 4 * WEEK });
    await fc.assert(
        fc.asyncProperty(
            fc.array(fc.tuple(fc.nat(2), fc.option(seconds)), { minLength: 1, maxLength: 8 }),
            async (changes) => {
                const { store } = createStubVersionedStore();
                // Two configured values: the rollout of a changed one.
                const pods = [
                    createPod(store),
                    createPod(store),
                    createPod(store, { ttlSeconds: DAY }),
                ];
                let longestWritten = 0;
                for (const [at, value] of changes) {
                    const pod = pods[at];
                    await pod?.poll();
                    for (const one of pods) longestWritten = Math.max(longestWritten, one.ttl());
                    await pod?.tune(value);
                }
                for (const pod of pods) {
                    await pod.poll();
                    longestWritten = Math.max(longestWritten, pod.ttl());
                }
                // Entries were written moments ago; pods that never had the week need not know of it.
                for (const pod of pods.slice(0, 2))
                    expect(pod.longestTtlSeconds()).toBeGreaterThanOrEqual(longestWritten - 60);
            },
        ),
        { numRuns: 100 },
    );
});
