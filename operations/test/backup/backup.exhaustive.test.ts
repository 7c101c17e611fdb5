import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { usedBytes, usedBytesNow } from "../../../app/test/support/heap.ts";
import { freePort } from "../../../app/test/support/redisServer.ts";
import { PASSWORDS, redisCli, RedisNodes } from "../../../tests/support/redisNodes.ts";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { connectPrimaries, type Primaries } from "../../backup/primaries.ts";
import { backUp, restore } from "../../backup/transfer.ts";

const FORM_CLUSTER = path.join(import.meta.dirname, "../../../components/redis/formCluster.sh");
const KEYS = 2_000;
const quiet = () => undefined;

/** Real servers, standalone or clustered. */
async function start(clustered: boolean, base: number) {
    const nodes = new RedisNodes({ clustered });
    const port = await freePort();
    const hosts = (clustered ? [0, 1, 2, 3, 4, 5] : [0]).map((index) => `127.0.0.${base + index}`);
    await Promise.all(hosts.map((host, index) => nodes.start(index, host, port)));
    if (clustered) {
        const NODES = hosts.map((host) => `${host}:${port}`).join(" ");
        const env = { ...process.env, NODES, REDISCLI_AUTH: PASSWORDS.admin };
        const forming = spawn("/bin/sh", [FORM_CLUSTER], { env });
        expect(await once(forming, "exit")).toEqual([0, null]);
    }
    const addresses = hosts.map((host) => ({ host, port }));
    const admin = (index: number, ...command: string[]) =>
        redisCli({ host: hosts[index] ?? "", port }, "admin", PASSWORDS.admin, ...command);
    return { nodes, admin, primaries: await connectPrimaries(addresses, PASSWORDS.admin) };
}
type Started = Awaited<ReturnType<typeof start>>;

describe("a backup of a real Redis Cluster", () => {
    const folder = makeTemporaryFolder();
    const file = path.join(folder, "cache.gz");
    let cluster: Started;
    let alone: Started;
    beforeAll(async () => {
        cluster = await start(true, 90);
        alone = await start(false, 98);
        for (let key = 0; key < KEYS; key += 1) {
            const [name, text] = [`embedding:${key}`, `vector ${key}`];
            await cluster.primaries
                .primaryFor(Buffer.from(name))
                .client.set(name, text, "EX", 3600);
        }
        const flags = "embedding:flags";
        await cluster.primaries.primaryFor(Buffer.from(flags)).client.hset(flags, "a", "1");
    }, 300_000);
    afterAll(async () => {
        for (const one of [cluster, alone]) {
            one.primaries.close();
            await one.nodes.dispose();
        }
    });
    const sizeOf = async ({ all }: Primaries) =>
        (await Promise.all(all.map(({ client }) => client.dbsize()))).reduce((a, b) => a + b, 0);

    test("contains every entry of every primary, and only its owner may read it", async () => {
        expect(cluster.primaries.all).toHaveLength(3);
        expect(await backUp(cluster.primaries, file, quiet)).toBe(KEYS + 1);
        expect(statSync(file).mode & 0o777).toBe(0o600);
    });

    test("can be restored into a Redis of another layout, with the remaining lifetimes", async () => {
        const restored = await restore(alone.primaries, file, quiet);
        expect(restored).toEqual({ written: KEYS + 1, kept: 0, expired: 0 });
        expect(await alone.admin(0, "get", "embedding:77")).toBe("vector 77");
        expect(await alone.admin(0, "hget", "embedding:flags", "a")).toBe("1");
        const left = Number(await alone.admin(0, "ttl", "embedding:77"));
        expect(left).toBeGreaterThan(3000);
        expect(left).toBeLessThanOrEqual(3600);
        expect(await alone.admin(0, "ttl", "embedding:flags")).toBe("-1");
    });

    test("changes nothing when it is restored again, and keeps newer values", async () => {
        await alone.admin(0, "set", "embedding:77", "newer");
        await alone.admin(0, "del", "embedding:78");
        const restored = await restore(alone.primaries, file, quiet);
        expect(restored).toEqual({ written: 1, kept: KEYS, expired: 0 });
        expect(await alone.admin(0, "get", "embedding:77")).toBe("newer");
    });

    test("finds each key's primary in an emptied cluster", async () => {
        await Promise.all(cluster.primaries.all.map(({ client }) => client.flushall()));
        expect((await restore(cluster.primaries, file, quiet)).written).toBe(KEYS + 1);
        expect(await sizeOf(cluster.primaries)).toBe(KEYS + 1);
    });

    test("that is truncated restores its entries and is reported", async () => {
        const cut = path.join(folder, "cut.gz");
        writeFileSync(cut, readFileSync(file).subarray(0, statSync(file).size / 2));
        await alone.primaries.all[0]?.client.flushall();
        await expect(restore(alone.primaries, cut, quiet)).rejects.toThrow(
            /cut\.gz.* after \d+ entries/,
        );
        expect(await sizeOf(alone.primaries)).toBeGreaterThan(KEYS / 4);
    });

    test("of another format is rejected before anything is written", async () => {
        const other = path.join(folder, "other.gz");
        writeFileSync(other, "no gzip at all");
        await expect(restore(alone.primaries, other, quiet)).rejects.toThrow(
            /other\.gz, after 0 entries/,
        );
    });

    test("takes no more memory for more entries", async () => {
        const client = alone.primaries.all[0]?.client;
        if (!client) throw new Error("no primary");
        for (let index = 0; index < 1_000; index += 1) {
            await client.set(`embedding:big:${index}`, randomBytes(60_000));
        }
        const before = await usedBytes();
        let most = 0;
        await backUp(alone.primaries, path.join(folder, "big.gz"), () => {
            most = Math.max(most, usedBytesNow() - before);
        });
        // Entries of 60 MB, a batch of them 12. Resident memory would be that of the other tests of this process, too.
        expect(most).toBeLessThan(40 * 1024 ** 2);
    }, 240_000);
});
