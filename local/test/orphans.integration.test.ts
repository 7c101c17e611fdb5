import { afterEach, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { killOrphans, isOrphan, markProcess, RUN, withoutMark } from "../src/orphans.ts";

const LOCK = `/tmp/orphans-test-${process.pid}.lock`;
const children: ChildProcess[] = [];

afterEach(() => {
    children.splice(0).forEach((child) => child.kill("SIGKILL"));
});

/** A process that works until it is ended; resolves when it runs. */
async function worker(mark: string | undefined): Promise<ChildProcess> {
    const env = mark === undefined ? withoutMark() : { ...process.env, [RUN]: mark };
    const child = spawn("sh", ["-c", "echo ready; exec sleep 600"], {
        env,
        stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
}

test("processes of a killed run are killed, others are not", async () => {
    const orphan = await worker(`${LOCK}:1`);
    const mine = await worker(`${LOCK}:${process.pid}`);
    const stranger = await worker(undefined);
    const ended = once(orphan, "exit");
    expect(killOrphans(LOCK)).toEqual([orphan.pid]);
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(mine.exitCode ?? mine.signalCode).toBeNull();
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
});

test("another cache's run is not touched", () => {
    expect(isOrphan(`A=1\0${RUN}=/other.lock:7\0`, LOCK, 1)).toBe(false);
    expect(isOrphan(`A=1\0${RUN}=${LOCK}:7\0`, LOCK, 1)).toBe(true);
    expect(isOrphan(`${RUN}=${LOCK}:7\0`, LOCK, 7)).toBe(false);
    expect(isOrphan("", LOCK, 7)).toBe(false);
});

test("the mark reaches what is started, and not what is started without it", () => {
    markProcess(LOCK);
    expect(process.env[RUN]).toBe(`${LOCK}:${process.pid}`);
    expect(withoutMark()).not.toHaveProperty(RUN);
    expect(withoutMark().PATH).toBe(process.env.PATH);
});

test("Where processes are not shown, none is taken for one that is left", () => {
    expect(killOrphans(LOCK, "/nowhere")).toEqual([]);
});
