import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../app/test/support/redisServer.ts";
import { PASSWORDS, redisCli, RedisNodes } from "../support/redisNodes.ts";

const SCRIPTS = path.join(import.meta.dirname, "../../components/redis");
const INDEXES = [0, 1, 2, 3, 4, 5];

describe("Redis Cluster of real servers", () => {
    const nodes = new RedisNodes({ clustered: true });
    let port: number;
    // One address a node, as pods have; a restarted pod gets another one.
    const before = (index: number) => `127.0.0.${10 + index}`;
    const after = (index: number) => `127.0.0.${20 + index}`;

    beforeAll(async () => {
        port = await freePort();
        await Promise.all(INDEXES.map((index) => nodes.start(index, before(index), port)));
    });
    afterAll(() => nodes.dispose());

    const admin = (host: string, ...command: string[]) =>
        redisCli({ host, port }, "admin", PASSWORDS.admin, ...command);
    const list = (host: (index: number) => string) =>
        INDEXES.map((index) => `${host(index)}:${port}`).join(" ");
    const members = async (host: string) =>
        (await admin(host, "cluster", "nodes")).split("\n").map((line) => line.split(" "));

    test("is formed with three primaries that each have one replica", async () => {
        expect(await script("formCluster.sh", { NODES: list(before) })).toBe(0);
        const lines = await members(before(0));
        const primaries = lines.filter(([, , flags]) => flags?.includes("master"));
        const followed = lines.filter(([, , flags]) => flags?.includes("slave")).map((l) => l[3]);
        expect(primaries).toHaveLength(3);
        expect(new Set(followed)).toEqual(new Set(primaries.map(([id]) => id)));
        expect(followed).toHaveLength(3);
    });

    test("forming it again changes nothing and loses no data", async () => {
        await admin(before(0), "-c", "set", "embedding:kept", "value");
        // Not the epochs: primaries that start with the same one raise theirs by themselves, in time.
        const places = async () =>
            (await members(before(0)))
                .map(([id, , flags, primary, , , , , ...slots]) => [id, flags, primary, ...slots])
                .sort();
        const was = await places();
        expect(await script("formCluster.sh", { NODES: list(before) })).toBe(0);
        expect(await places()).toEqual(was);
        expect(await admin(before(0), "-c", "get", "embedding:kept")).toBe("value");
    });

    test("a replica that lost its place gets it back", async () => {
        const replica = (await members(before(3))).find(([, , flags]) => flags?.includes("myself"));
        expect(replica?.[2]).toContain("slave");
        await admin(before(3), "cluster", "reset", "hard");
        expect(await script("formCluster.sh", { NODES: list(before) })).toBe(0);
        const lines = await members(before(3));
        expect(lines.find(([, , flags]) => flags?.includes("myself"))?.[2]).toContain("slave");
    });

    test("recovers when all nodes restart together with other addresses", async () => {
        await nodes.kill(...INDEXES);
        await Promise.all(INDEXES.map((index) => nodes.start(index, after(index), port)));
        const tenders = INDEXES.map((index) =>
            shell("tendNode.sh", {
                NODES: list(after),
                AUTH: nodes.authFolder(index),
                HOST: after(index),
                PORT: String(port),
                INTERVAL: "1",
            }),
        );
        try {
            await eventually(async () => {
                for (const index of INDEXES) {
                    const lines = await members(after(index));
                    const lost = lines.filter(
                        ([, , flags, , , , , link]) =>
                            /fail|noaddr/.test(flags ?? "") || link !== "connected",
                    );
                    expect(lost).toEqual([]);
                    expect(await admin(after(index), "cluster", "info")).toContain(
                        "cluster_state:ok",
                    );
                }
            });
        } finally {
            await Promise.all(tenders.map(stop));
        }
    });
});

function shell(file: string, environment: Record<string, string>): ChildProcess {
    return spawn("/bin/sh", [path.join(SCRIPTS, file)], {
        env: { ...process.env, REDISCLI_AUTH: PASSWORDS.admin, ...environment },
        stdio: ["ignore", "ignore", "inherit"],
    });
}

async function script(file: string, environment: Record<string, string>): Promise<unknown> {
    const [code] = (await once(shell(file, environment), "exit")) as unknown[];
    return code;
}

async function stop(child: ChildProcess): Promise<void> {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
}

/** Polls a state that has no event until an assertion holds; the test's own timeout ends it. */
async function eventually(assertion: () => Promise<void>): Promise<void> {
    for (let left = 100; ; left -= 1) {
        try {
            await assertion();
            return;
        } catch (error) {
            if (left === 0) throw error;
            await delay(300);
        }
    }
}
