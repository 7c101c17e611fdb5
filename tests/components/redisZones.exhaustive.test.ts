import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../app/test/support/redisServer.ts";
import { PASSWORDS, redisCli, RedisNodes } from "../support/redisNodes.ts";

const FORM_CLUSTER = path.join(import.meta.dirname, "../../components/redis/formCluster.sh");
const INDEXES = [0, 1, 2, 3, 4, 5];

interface Node {
    readonly index: number;
    readonly id: string;
    readonly isPrimary: boolean;
    readonly primary: string;
    readonly slots: number;
}

/** Six real servers, and the script that makes a cluster of them. */
class Servers {
    readonly nodes = new RedisNodes({ clustered: true });
    readonly #folder = mkdtempSync(path.join(tmpdir(), "redis-zones-"));
    readonly #base: number;
    port = 0;

    constructor(base: number) {
        this.#base = base;
    }

    host(index: number): string {
        return `127.0.0.${this.#base + index}`;
    }

    async start(indexes = INDEXES): Promise<void> {
        if (this.port === 0) this.port = await freePort();
        await Promise.all(
            indexes.map((index) => this.nodes.start(index, this.host(index), this.port)),
        );
    }

    admin(index: number, ...command: string[]): Promise<string> {
        const address = { host: this.host(index), port: this.port };
        return redisCli(address, "admin", PASSWORDS.admin, ...command);
    }

    /** @param zones of the nodes in their order. Default: none is known. */
    async form(zones: readonly string[] = []): Promise<unknown> {
        const file = path.join(this.#folder, "zones");
        writeFileSync(file, zones.map((zone, index) => `${this.host(index)} ${zone}\n`).join(""));
        const env = {
            ...process.env,
            REDISCLI_AUTH: PASSWORDS.admin,
            NODES: INDEXES.map((index) => `${this.host(index)}:${this.port}`).join(" "),
            ZONES: file,
        };
        const script = spawn("/bin/sh", [FORM_CLUSTER], { env, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        for (const stream of [script.stdout, script.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => (output += text));
        }
        const [code] = (await once(script, "exit")) as unknown[];
        return code === 0 ? code : output;
    }

    /** Each node as it knows itself. */
    async state(): Promise<Node[]> {
        return Promise.all(
            INDEXES.map(async (index) => {
                const lines = (await this.admin(index, "cluster", "nodes")).split("\n");
                const own = lines.find((line) => line.includes("myself")) ?? "";
                const [id = "", , flags = "", primary = "", , , , , ...ranges] = own.split(" ");
                const slots = ranges.reduce((sum, range) => {
                    const [first = 0, last = first] = range.split("-").map(Number);
                    return sum + last - first + 1;
                }, 0);
                return { index, id, isPrimary: flags.includes("master"), primary, slots };
            }),
        );
    }

    async dispose(): Promise<void> {
        await this.nodes.dispose();
        rmSync(this.#folder, { recursive: true });
    }
}

describe("a Redis Cluster over three zones", () => {
    const servers = new Servers(70);
    // Pods of one zone after another, so that the first three nodes are in two zones.
    const zones = ["a", "a", "b", "b", "c", "c"];
    beforeAll(() => servers.start());
    afterAll(() => servers.dispose());

    const spreadOver = async () => {
        const state = await servers.state();
        const zoneOf = new Map(state.map(({ id, index }) => [id, zones[index]]));
        const primaries = state.filter(({ isPrimary }) => isPrimary);
        expect(primaries.map(({ id }) => zoneOf.get(id)).sort()).toEqual(["a", "b", "c"]);
        const replicas = state.filter(({ isPrimary }) => !isPrimary);
        expect(new Set(replicas.map(({ primary }) => primary)).size).toBe(3);
        for (const { id, primary } of replicas) {
            expect(zoneOf.get(primary)).not.toBe(zoneOf.get(id));
        }
    };

    test("has a primary in each, whose replica is in another one", async () => {
        expect(await servers.form(zones)).toBe(0);
        await spreadOver();
    });

    test("has them there again after failovers that put two primaries into one zone", async () => {
        await servers.admin(0, "-c", "set", "embedding:kept", "value");
        const state = await servers.state();
        const zoneOf = new Map(state.map(({ id, index }) => [id, zones[index]]));
        const replica = state.find(({ isPrimary }) => !isPrimary);
        const zonesOfPrimaries = async () => {
            const primaries = (await servers.state()).filter(({ isPrimary }) => isPrimary);
            return new Set(primaries.map(({ id }) => zoneOf.get(id))).size;
        };
        // A replica that is still syncing rejects it, or times out.
        for (let tries = 10; tries > 0 && (await zonesOfPrimaries()) !== 2; tries -= 1) {
            await servers.admin(replica?.index ?? NaN, "cluster", "failover");
            await delay(2_000);
        }
        expect(await zonesOfPrimaries()).toBe(2);
        expect(await servers.form(zones)).toBe(0);
        await spreadOver();
        expect(await servers.admin(0, "-c", "get", "embedding:kept")).toBe("value");
    });

    test("moves replicas that a formation without zones placed in the zone of their primaries", async () => {
        const state = await servers.state();
        const zoneOf = new Map(state.map(({ id, index }) => [id, zones[index]]));
        const replicas = state.filter(({ isPrimary }) => !isPrimary);
        for (const { index, id } of replicas) {
            const neighbour = state.find(
                (one) => one.isPrimary && zoneOf.get(one.id) === zoneOf.get(id),
            );
            await servers.admin(index, "cluster", "replicate", neighbour?.id ?? "");
        }
        await delay(1_000);
        expect(await servers.form(zones)).toBe(0);
        await spreadOver();
    });

    test("survives the end of any zone: the other two hold a majority of primaries", async () => {
        const lost = INDEXES.filter((index) => zones[index] === "a");
        await servers.nodes.kill(...lost);
        // An election that lacks a vote is held again after four times the node timeout.
        for (let left = 300; ; left -= 1) {
            const nodes = (await servers.admin(5, "cluster", "nodes")).split("\n");
            const primaries = nodes.filter((line) => / (myself,)?master - .* \d+-\d+/.test(line));
            const failed = nodes.filter((line) => line.includes(",fail "));
            const info = await servers.admin(5, "cluster", "info");
            if (primaries.length === 3 && failed.length === 2 && info.includes("cluster_state:ok"))
                break;
            if (left === 0) throw new Error(nodes.join("\n"));
            await delay(300);
        }
        expect(await servers.admin(5, "-c", "get", "embedding:kept")).toBe("value");
    }, 150_000);
});

describe("a server alone that becomes a cluster", () => {
    // In a third of the slots, so that the server owns more than its share and migrates some.
    const KEYS = 6_000;
    const alone = new RedisNodes({ clustered: false });
    const servers = new Servers(80);
    afterAll(async () => {
        await servers.dispose();
        await alone.dispose();
    });

    test("keeps its data, a third of which each primary has in the end", async () => {
        servers.port = await freePort();
        await alone.start(0, servers.host(0), servers.port);
        const script = `for i = 1, ${KEYS} do redis.call('set', 'embedding:' .. i, i, 'ex', 3600) end`;
        await servers.admin(0, "eval", script, "0");
        await servers.admin(0, "save");
        await alone.kill(0);
        servers.nodes.adopt(0, alone);
        await servers.start();

        expect(await servers.form()).toBe(0);
        const state = await servers.state();
        const primaries = state.filter(({ isPrimary }) => isPrimary);
        expect(primaries).toHaveLength(3);
        for (const { slots, index } of primaries) {
            expect(slots).toBeGreaterThan(5_000);
            expect(Number(await servers.admin(index, "dbsize"))).toBeGreaterThan(100);
        }
        const sizes = await Promise.all(
            primaries.map(({ index }) => servers.admin(index, "dbsize").then(Number)),
        );
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(KEYS);
        for (const key of [1, 777, KEYS]) {
            expect(await servers.admin(3, "-c", "get", `embedding:${key}`)).toBe(String(key));
        }
    }, 300_000);
});
