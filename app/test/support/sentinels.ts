import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually } from "./eventually.ts";
import { freePort, startRedis, startSentinel, type RedisServer } from "./redisServer.ts";

export interface SentinelGroup {
    readonly primary: RedisServer;
    readonly replica: RedisServer;
    readonly sentinels: readonly RedisServer[];
    /** Value of REDIS_URL. */
    readonly url: string;
    readonly stop: () => Promise<void>;
}

export const MASTER = "cache";
const SENTINELS = 3;

/** A primary with a replica, and three sentinels that fail over within seconds. */
export async function startSentinels(options: { password?: string } = {}): Promise<SentinelGroup> {
    const folder = await mkdtemp(join(tmpdir(), "sentinels-"));
    const start = (name: string) =>
        startRedis(undefined, [
            ...["--repl-diskless-sync-delay", "0", "--dir", folder, "--dbfilename", name],
        ]);
    const [primary, replica] = [await start("primary.rdb"), await start("replica.rdb")];
    replica.command("REPLICAOF", "127.0.0.1", String(primary.port));
    await eventually("the replica follows", () => replica.command("ROLE").includes("connected"));
    const sentinels = await Promise.all(
        Array.from({ length: SENTINELS }, async (_, n) => {
            const port = await freePort();
            const file = join(folder, `sentinel-${n}.conf`);
            const lines = [
                `port ${port}`,
                "bind 127.0.0.1",
                `sentinel monitor ${MASTER} 127.0.0.1 ${primary.port} 2`,
                `sentinel down-after-milliseconds ${MASTER} 500`,
                `sentinel failover-timeout ${MASTER} 2000`,
                ...(options.password
                    ? [
                          `requirepass ${options.password}`,
                          `sentinel sentinel-pass ${options.password}`,
                      ]
                    : []),
            ];
            await writeFile(file, lines.join("\n"));
            return startSentinel(port, file, options.password);
        }),
    );
    await eventually("the sentinels know each other and the replica", () =>
        sentinels.every(
            (sentinel) =>
                sentinel.command("SENTINEL", "CKQUORUM", MASTER).startsWith("OK 3") &&
                sentinel
                    .command("SENTINEL", "REPLICAS", MASTER)
                    .includes(`127.0.0.1:${replica.port}`),
        ),
    );
    return {
        primary,
        replica,
        sentinels,
        url: sentinels.map(({ url }) => url.href).join(","),
        stop: async () => {
            await Promise.all([...sentinels, primary, replica].map((one) => one.kill()));
            await rm(folder, { recursive: true });
        },
    };
}
