import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { CACHE_KEY_PREFIX } from "@property-search/contract";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import pino from "pino";
import { createRedisClient } from "../../app/src/redis/client.ts";
import { eventually } from "../../app/test/support/eventually.ts";
import { freePort } from "../../app/test/support/redisServer.ts";
import type { UserPasswords } from "../../components/redis/settings.ts";
import { PASSWORDS, redisCli, RedisNodes } from "../support/redisNodes.ts";

const TEND_NODE = path.join(import.meta.dirname, "../../components/redis/tendNode.sh");
const FORM_CLUSTER = path.join(import.meta.dirname, "../../components/redis/formCluster.sh");
const NEXT = { app: "app-next", exporter: "exporter-next", admin: "admin-next" };
type User = keyof typeof NEXT;

describe.each([
    { mode: "standalone", indexes: [0] },
    { mode: "cluster", indexes: [0, 1, 2, 3, 4, 5] },
] as const)("rotating passwords of a real Redis, $mode", ({ mode, indexes }) => {
    const clustered = mode === "cluster";
    const nodes = new RedisNodes({ clustered });
    const host = (index: number) => `127.0.0.${(clustered ? 50 : 60) + index}`;
    const tenders: ChildProcess[] = [];
    const services: Service[] = [];
    let port: number;
    /** Lines of the tenders, each of which says that it has set the users. */
    let reports = 0;

    beforeAll(async () => {
        port = await freePort();
        await Promise.all(indexes.map((index) => nodes.start(index, host(index), port)));
        const NODES = clustered ? indexes.map((index) => `${host(index)}:${port}`).join(" ") : "";
        if (clustered) {
            const environment = { ...process.env, REDISCLI_AUTH: PASSWORDS.admin, NODES };
            const forming = spawn("/bin/sh", [FORM_CLUSTER], { env: environment });
            expect(await once(forming, "exit")).toEqual([0, null]);
        }
        for (const index of indexes) {
            const own = { HOST: host(index), PORT: String(port), AUTH: nodes.authFolder(index) };
            const env = { ...process.env, ...own, NODES, INTERVAL: "1" };
            const tender = spawn("/bin/sh", [TEND_NODE], {
                env,
                stdio: ["ignore", "pipe", "inherit"],
            });
            createInterface({ input: tender.stdout }).on("line", () => (reports += 1));
            tenders.push(tender);
        }
    });
    afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())));
    afterAll(async () => {
        for (const tender of tenders) tender.kill();
        await nodes.dispose();
    });

    const setUsers = (users: Record<User, UserPasswords>) => {
        for (const index of indexes) nodes.setUsers(index, users);
    };
    const isAccepted = async (user: User, password: string, index: number) => {
        const command = user === "app" ? ["cluster", "myid"] : ["info", "server"];
        try {
            await redisCli({ host: host(index), port }, user, password, ...command);
            return true;
        } catch (error) {
            const output = String(error);
            if (output.includes("WRONGPASS")) return false;
            // Only a server without a cluster reports it, and only to authenticated clients.
            if (output.includes("cluster support disabled")) return true;
            throw error;
        }
    };
    const everywhere = async (user: User, password: string, wanted: boolean) => {
        for (let left = 400; ; left -= 1) {
            const accepted = await Promise.all(
                indexes.map((index) => isAccepted(user, password, index)),
            );
            if (accepted.every((one) => one === wanted)) return;
            if (left === 0) throw new Error(`${user}: ${accepted.join()} after 40 seconds`);
            await delay(100);
        }
    };
    const users = (of: (user: User) => UserPasswords) => ({
        app: of("app"),
        exporter: of("exporter"),
        admin: of("admin"),
    });
    const pod = async (password: string) => {
        const service = await startService(mode, `redis://${host(0)}:${port}`, password);
        services.push(service);
        return service;
    };

    test("no command of a client fails, the old password ends, and no server restarts", async () => {
        const ids = await Promise.all(indexes.map((index) => runId(index, PASSWORDS.admin)));
        const before = await pod(PASSWORDS.app);

        setUsers(users((user) => ({ current: PASSWORDS[user], others: [NEXT[user]] })));
        for (const user of ["app", "exporter", "admin"] as const) {
            await everywhere(user, NEXT[user], true);
        }
        // A client that connects before is disconnected, once, when the old password ends.
        await eventually("the users are set", () => reports >= 2 * tenders.length);
        // The pods follow one by one, while the Secret has changed already.
        setUsers(users((user) => ({ current: NEXT[user], others: [PASSWORDS[user]] })));
        const after = await pod(NEXT.app);
        await before.more(1_000);
        expect(await before.stop()).toEqual([]);

        setUsers(users((user) => ({ current: NEXT[user], others: [] })));
        for (const user of ["app", "exporter", "admin"] as const) {
            await everywhere(user, PASSWORDS[user], false);
            await everywhere(user, NEXT[user], true);
        }
        await after.more(500);
        expect(await after.stop()).toEqual([]);
        expect(await Promise.all(indexes.map((index) => runId(index, NEXT.admin)))).toEqual(ids);
        if (clustered) await everyReplicaFollows(NEXT.admin);
    });

    test("clients with a removed password are disconnected, others are not", async () => {
        setUsers(users((user) => ({ current: NEXT[user], others: [PASSWORDS[user]] })));
        await everywhere("app", PASSWORDS.app, true);
        const stolen = await pod(PASSWORDS.app);
        await stolen.more(500);
        setUsers(users((user) => ({ current: NEXT[user], others: ["app-third"] })));
        await everywhere("app", PASSWORDS.app, false);
        await eventually("it is disconnected", () => stolen.failures.length > 0);
        await stolen.stop();
    });

    async function runId(index: number, password: string): Promise<string | undefined> {
        const info = await redisCli({ host: host(index), port }, "admin", password, "info");
        return /run_id:(\w+)/.exec(info)?.[1];
    }

    /** A replica that has to connect again does so by the new password. */
    async function everyReplicaFollows(password: string): Promise<void> {
        const asAdmin = (index: number, ...command: string[]) =>
            redisCli({ host: host(index), port }, "admin", password, ...command);
        for (const index of indexes) await asAdmin(index, "client", "kill", "type", "master");
        for (let left = 100; ; left -= 1) {
            const infos = await Promise.all(
                indexes.map((index) => asAdmin(index, "info", "replication")),
            );
            const replicas = infos.filter((info) => info.includes("role:slave"));
            expect(replicas).toHaveLength(3);
            if (replicas.every((info) => info.includes("master_link_status:up"))) return;
            if (left === 0) throw new Error(infos.join("\n"));
            await delay(100);
        }
    }
});

interface Service {
    /** Waits until so many more commands have succeeded. */
    readonly more: (count: number) => Promise<void>;
    readonly failures: readonly string[];
    /** @returns what failed */
    readonly stop: () => Promise<readonly string[]>;
}

/** What a pod does with Redis all the time, by the service's own client. */
async function startService(
    mode: "standalone" | "cluster",
    url: string,
    password: string,
): Promise<Service> {
    const config = { urls: [new URL(url)], mode, username: "app", password } as const;
    const redis = createRedisClient(config, pino({ level: "silent" }));
    while (!redis.isConnected()) await delay(20);
    await delay(300);
    const failures: string[] = [];
    let done = 0;
    let stopped = false;
    const isStopped = () => stopped;
    const working = (async () => {
        for (let count = 0; !isStopped(); count += 1) {
            const key = `${CACHE_KEY_PREFIX}${count % 100}`;
            try {
                await redis.write([{ key, value: Buffer.from("1"), milliseconds: 60_000 }]);
                await redis.read([key]);
                done += 2;
            } catch (error) {
                // A busy machine is slow; what a rotation breaks is an error reply or a lost connection.
                if (!String(error).includes("Command timed out")) failures.push(String(error));
            }
            await delay(5);
        }
    })();
    return {
        more: (count) => {
            const wanted = done + count;
            return eventually(`${count} more commands succeed`, () => done >= wanted);
        },
        failures,
        stop: async () => {
            stopped = true;
            await working;
            await redis.close();
            return failures;
        },
    };
}
