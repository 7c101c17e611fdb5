import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import {
    aclFile,
    AUTH_FILES,
    AUTH_FOLDER,
    DATA_FOLDER,
    redisConf,
    replicationConf,
    type UserPasswords,
} from "../../components/redis/settings.ts";

export const PASSWORDS = { app: "app-secret", exporter: "exporter-secret", admin: "admin-secret" };

type Users = Readonly<Record<keyof typeof PASSWORDS, UserPasswords>>;

const USERS: Users = {
    app: { current: PASSWORDS.app, others: [] },
    exporter: { current: PASSWORDS.exporter, others: [] },
    admin: { current: PASSWORDS.admin, others: [] },
};

const run = promisify(execFile);

/** Real Redis servers on loopback, with the files that the program would mount. */
export class RedisNodes {
    readonly #folder = mkdtempSync(path.join(tmpdir(), "redis-nodes-"));
    readonly #running = new Map<number, ChildProcess>();
    readonly #clustered: boolean;

    constructor({ clustered }: { clustered: boolean }) {
        this.#clustered = clustered;
    }

    /** Starts a node, or starts it again with what it remembers. */
    async start(index: number, host: string, port: number): Promise<void> {
        const folder = path.join(this.#folder, String(index));
        mkdirSync(folder, { recursive: true });
        if (!existsSync(path.join(folder, AUTH_FILES.users))) this.setUsers(index, USERS);
        const conf = redisConf({ memoryLimit: "128Mi", clustered: this.#clustered })
            .replaceAll(AUTH_FOLDER, folder)
            .replaceAll(DATA_FOLDER, folder);
        writeFileSync(path.join(folder, "redis.conf"), conf);
        const server = spawn(
            "redis-server",
            [
                path.join(folder, "redis.conf"),
                ...["--bind", host, "--port", String(port)],
                // A name for each address is more than a test can have.
                ...(this.#clustered
                    ? ["--cluster-announce-ip", host, "--cluster-preferred-endpoint-type", "ip"]
                    : []),
            ],
            { stdio: ["ignore", "pipe", "inherit"] },
        );
        this.#running.set(index, server);
        await accepted(server);
    }

    /** Gives a node the snapshot of the node with the same index of others, as a pod finds its volume. */
    adopt(index: number, others: RedisNodes): void {
        mkdirSync(this.authFolder(index), { recursive: true });
        const snapshot = (nodes: RedisNodes) => path.join(nodes.authFolder(index), "dump.rdb");
        copyFileSync(snapshot(others), snapshot(this));
    }

    /** Where a node's files of users lie. */
    authFolder(index: number): string {
        return path.join(this.#folder, String(index));
    }

    /** Writes a node's files of users, as a changed Secret does; Redis reads them at its start only. */
    setUsers(index: number, users: Users): void {
        const write = (file: string, text: string) => {
            writeFileSync(path.join(this.authFolder(index), file), text);
        };
        write(AUTH_FILES.users, aclFile(users));
        write(AUTH_FILES.replication, replicationConf(users.admin.current));
        write(AUTH_FILES.adminPassword, users.admin.current);
    }

    /** Kills nodes without a snapshot, like a node failure. */
    async kill(...indexes: readonly number[]): Promise<void> {
        await Promise.all(
            indexes.map(async (index) => {
                const server = this.#running.get(index);
                if (!server) return;
                this.#running.delete(index);
                server.kill("SIGKILL");
                await once(server, "exit");
            }),
        );
    }

    async dispose(): Promise<void> {
        await this.kill(...this.#running.keys());
        rmSync(this.#folder, { recursive: true });
    }
}

/** Runs redis-cli as a user. An error reply is a rejection with it. */
export async function redisCli(
    address: { host: string; port: number },
    user: string,
    password: string,
    ...command: readonly string[]
): Promise<string> {
    const { stdout } = await run(
        "redis-cli",
        [
            ...["-e", "--no-auth-warning", "-h", address.host, "-p", String(address.port)],
            ...["--user", user, ...command],
        ],
        { env: { ...process.env, REDISCLI_AUTH: password } },
    );
    return stdout.trim();
}

async function accepted(server: ChildProcess): Promise<void> {
    let log = "";
    const output = server.stdout as NodeJS.ReadableStream;
    for await (const chunk of output) {
        log += String(chunk);
        if (log.includes("Ready to accept connections")) {
            output.resume();
            return;
        }
    }
    throw new Error(`redis-server did not start:\n${log}`);
}
