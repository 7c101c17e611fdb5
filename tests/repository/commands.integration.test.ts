import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { eventually } from "../../app/test/support/eventually.ts";
import { killPods, startPod } from "../../app/test/support/pod.ts";
import { modelDirectory } from "../../app/test/support/model.ts";
import { ADMIN_TOKEN } from "../../app/test/support/admin.ts";
import { freePort, startRedis, type RedisServer } from "../../app/test/support/redisServer.ts";
import { stubEnvironment } from "../../app/test/support/service.ts";
import { startStubUpstream, type StubUpstream } from "../../app/test/support/stubUpstream.ts";
import {
    commandsOf,
    PAGES,
    ROOT,
    shell,
    type DocCommand,
    type Ended,
} from "../support/docs/commands.ts";

const run = promisify(execFile);
const COMMANDS = PAGES.flatMap(commandsOf);
const unique = (texts: readonly string[]) => [...new Set(texts)];
const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

const failed = (results: readonly Ended[]) => results.filter(({ exitCode }) => exitCode !== 0);

describe("without a cluster", () => {
    const matching = (pattern: RegExp) =>
        unique(
            COMMANDS.filter(({ text }) => pattern.test(text)).map(({ words }) =>
                words.map(quote).join(" "),
            ),
        );

    test("make -n accepts every make command", async () => {
        const commands = unique(
            COMMANDS.filter(({ words }) => words[0] === "make").map(({ words }) =>
                ["make -n", ...words.slice(1).map(quote)].join(" "),
            ),
        );
        expect(commands.length).toBeGreaterThan(80);
        expect(failed(await allOf(commands))).toEqual([]);
    });

    test("flags of each command line are those of its --help", async () => {
        const used = COMMANDS.flatMap(({ page, text, words }) =>
            flagsOf(words).map((use) => ({ page, text, ...use })),
        );
        const helps = new Map<string, string>();
        const commands = used.filter(({ flags }) => flags.length > 0);
        for (const command of unique(commands.map(({ command }) => command))) {
            helps.set(command, (await shell(`node ${command} --help`)).output);
        }
        const wrong = used.filter(
            ({ command, flags }) =>
                !flags.every((flag) => new RegExp(`${flag}\\b`).test(helps.get(command) ?? "")),
        );
        expect(used.length).toBeGreaterThan(5);
        expect(wrong).toEqual([]);
    });

    test("commands that need no cluster succeed", async () => {
        const commands = matching(
            /^(make (help|tenant-key TENANT=search)|make (render|policies) STACK=prod|node \S+ (\w+ )?--help)$/,
        );
        const folder = await mkdtemp(path.join(tmpdir(), "docs-"));
        const results = await allOf(
            commands.map((text) => text.replace(/^'make' 'render'.*/, `$& OUT=${folder}`)),
        );
        await rm(folder, { recursive: true });
        expect(failed(results)).toEqual([]);
        expect(commands).toContain("'make' 'render' 'STACK=prod'");
    });

    test("make capacity prints what docs/capacity.md shows", async () => {
        const page = await readFile(path.join(ROOT, "docs/capacity.md"), "utf8");
        const examples = page.matchAll(/```sh\n(make capacity .*)\n```\n\n```text\n([^`]*)```/g);
        const shown = [...examples].map(([, command = "", output]) => ({ command, output }));
        for (const { command, output } of shown) {
            expect(await shell(command)).toMatchObject({ exitCode: 0, output });
        }
        expect(shown.length).toBeGreaterThan(1);
    });

    test("the command that prints a dashboard prints JSON", async () => {
        const [command] = COMMANDS.filter(({ text }) => text.startsWith("node -e"));
        const { stdout } = await run("node", command?.words.slice(1) ?? [], { cwd: ROOT });
        expect(JSON.parse(stdout)).toHaveProperty("panels");
    });
});

/** Runs commands, a few at once, as there are cores. */
async function allOf(commands: readonly string[]): Promise<readonly Ended[]> {
    const results: Ended[] = [];
    const waiting = [...commands];
    const work = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
            results.push(await shell(next));
        }
    };
    await Promise.all([work(), work()]);
    return results;
}

/** The program of a command line, with its subcommand, and the flags after it. */
function flagsOf([program, ...words]: readonly string[]) {
    const [file = "", ...rest] = words.filter((word) => word !== "--expose-gc");
    if (program !== "node" || !file.endsWith("main.ts")) return [];
    const subcommand = /^[a-z][a-z-]*$/.test(rest[0] ?? "") ? ` ${rest[0] ?? ""}` : "";
    const flags = rest.filter((word) => word.startsWith("--") && word !== "--help");
    return [{ command: `${file}${subcommand}`, flags }];
}

describe("on a service", () => {
    let folder: string;
    let redis: RedisServer;
    let upstream: StubUpstream;
    /** What pages call by names, by these names. */
    let env: Record<string, string>;

    beforeAll(async () => {
        folder = await mkdtemp(path.join(tmpdir(), "docs-"));
        await writeFile(path.join(folder, "texts.txt"), "two rooms\ngarden\n");
        redis = await startRedis();
        upstream = await startStubUpstream();
        const adminPort = await freePort();
        const model = modelDirectory();
        const [service, local] = await Promise.all([
            startPod({
                ...stubEnvironment(upstream.url, redis.url),
                EMBEDDING_MODEL: "all-MiniLM-L6-v2",
                SEMANTIC_MODE: "optIn",
                MODEL_DIR: model,
                ANONYMOUS: "true",
                ADMIN_TOKEN,
                ADMIN_PORT: String(adminPort),
            }),
            startPod({ MODEL_DIR: model, ANONYMOUS: "true", EMBEDDING_PROVIDER: "local" }),
        ]);
        env = {
            ADMIN_TOKEN,
            A: `http://127.0.0.1:${adminPort}/admin/v1`,
            H: `authorization: Bearer ${ADMIN_TOKEN}`,
            J: "content-type: application/json",
            URL: `http://127.0.0.1:${service.port}`,
            LOCAL: `127.0.0.1:${local.port}`,
        };
    });

    afterAll(async () => {
        killPods();
        await Promise.all([upstream.stop(), redis.kill(), rm(folder, { recursive: true })]);
    });

    /** Sends what curl of a page sends. */
    async function curl({ words }: DocCommand): Promise<Ended & { status: number }> {
        const script = words
            .map((word) => (word.includes("$") ? `"${word}"` : quote(word)))
            .join(" ")
            .replace(/^'curl'/, "curl -s -w '\\n%{http_code}'")
            .replace("localhost:8001", env.LOCAL ?? "")
            .replace("https://HOST", env.URL ?? "")
            .replace("Bearer KEY", "Bearer anonymous")
            .replaceAll(/(?<=entries\/)KEY/g, await keyOfEntry())
            .replaceAll(/(?<=quarantines\/)BUILD/g, await ownBuild());
        const ended = await shell(script, env, folder);
        return { ...ended, status: Number(ended.output.trim().split("\n").at(-1)) };
    }

    const admin = async (pathname: string, body?: unknown) => {
        const response = await fetch(`${env.A ?? ""}${pathname}`, {
            method: body === undefined ? "GET" : "POST",
            headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return response.json();
    };
    const keyOfEntry = async () =>
        ((await admin("/entries/inspect", { input: "two rooms" })) as { key: string }).key;
    const ownBuild = async () =>
        ((await admin("/builds")) as { own: { buildId: string } }).own.buildId;

    test("each curl of the pages is answered", async () => {
        const calls = COMMANDS.filter(
            ({ words, text }) =>
                words[0] === "curl" && words.length > 2 && !text.includes("received"),
        );
        // The thread of semantic reuse loads the model first.
        await eventually("semantic reuse answers", async () => {
            const answer = await admin("/semantic/inspect", { input: "two rooms" });
            return !JSON.stringify(answer).includes("semantic_unavailable");
        });
        const results: { text: string; status: number; output: string }[] = [];
        for (const call of calls.filter(({ text }) => !text.includes("…"))) {
            const { status, output } = await curl(call);
            // The admin port has no texts of a tenant that has sent none.
            const isAnswer = (status >= 200 && status < 300) || output.includes('"no_texts"');
            if (!isAnswer) results.push({ text: call.text, status, output });
        }
        expect(results).toEqual([]);
        expect(calls.length).toBeGreaterThan(25);
    });
});
