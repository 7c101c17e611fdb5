import { beforeEach, expect, test } from "@jest/globals";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { lockCluster, lockFile } from "../../rehearse/clusterLock.ts";
import { stateFile, writeState } from "../../rehearse/courseState.ts";
import { journalFile, writeJournal } from "../../rehearse/journal.ts";
import { readLockHolder } from "../../stack/fileLock.ts";
import { processStart } from "../../stack/processes.ts";

process.env.XDG_STATE_HOME = makeTemporaryFolder();
let cluster: string;
let count = 0;
beforeEach(() => {
    cluster = `cluster-${(count += 1)}`;
});

const startedAt = "2026-12-01T08:00:00.000Z";

test("one command has a cluster at a time, and the others say what to do", async () => {
    const commands = ["make rehearse NAME=a", "make training EXERCISE=1", "make accept"];
    const taken = await Promise.allSettled(commands.map((one) => lockCluster(cluster, one)));
    const releases = taken.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(releases).toHaveLength(1);
    expect(taken.find(({ status }) => status === "rejected")).toMatchObject({
        reason: {
            message: expect.stringMatching(/^make .* is running on this .*wait.* delete .*lock$/),
        },
    });
    await releases[0]?.();
    await (
        await lockCluster(cluster, "make accept")
    )();
    expect(await readdir(path.dirname(lockFile(cluster)))).toEqual([]);
});

test("a command that was killed has no cluster, even if its process id is used again", async () => {
    const write = (pid: number, start: string | undefined) =>
        writeFile(lockFile(cluster), JSON.stringify({ command: "make accept", pid, start }));
    const { ppid } = process;
    await (
        await lockCluster(cluster, "make accept")
    )();
    await write(ppid, processStart(ppid));
    expect(await readLockHolder(lockFile(cluster))).toMatchObject({ pid: ppid });
    await expect(lockCluster(cluster, "make accept")).rejects.toThrow("is running");
    for (const [pid, start] of [
        [2 ** 30, undefined],
        [ppid, "another boot 1"],
    ] as const) {
        await write(pid, start);
        await (
            await lockCluster(cluster, "make accept")
        )();
    }
});

test("an open exercise keeps rehearsals and acceptance away", async () => {
    await writeState(stateFile(cluster), { 2: { startedAt, saved: null, isSetUp: true } });
    const open = /exercise 2 .*RESET=1/;
    await expect(lockCluster(cluster, "make rehearse NAME=a", "rehearsal")).rejects.toThrow(open);
    await expect(lockCluster(cluster, "make accept")).rejects.toThrow(open);
    expect(await readLockHolder(lockFile(cluster))).toBeUndefined();
});

test("what an interrupted rehearsal left keeps exercises and acceptance away", async () => {
    const journal = { rehearsal: "redis-loss", startedAt, saved: {} };
    await writeJournal(journalFile(cluster), journal);
    const left = /make rehearse NAME=redis-loss again/;
    await expect(lockCluster(cluster, "make training", "exercise")).rejects.toThrow(left);
    await expect(lockCluster(cluster, "make accept")).rejects.toThrow(left);
    await (
        await lockCluster(cluster, "make rehearse NAME=a", "rehearsal")
    )();
});
