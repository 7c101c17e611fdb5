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
import { readMakefile } from "../support/docs/makefile.ts";

const run = promisify(execFile);
const COMMANDS = PAGES.flatMap(commandsOf);
const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

describe("without a cluster", () => {
    test("make help lists every target in lines of at most 100 columns", async () => {
        const { output } = await shell("make help");
        const lines = output.trimEnd().split("\n");
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
        expect(output).not.toContain("$$");
        const { targets } = readMakefile();
        const listed = lines.flatMap((line) => /^ {2}make (\S+) +[A-Z]/.exec(line)?.[1] ?? []);
        expect(listed).toEqual(
            [...targets].flatMap(([name, { help }]) => (help === undefined ? [] : [name])),
        );
        // Steps of other targets.
        const internal = [...targets.keys()].filter((name) => !listed.includes(name));
        expect(internal.sort()).toEqual(["bench-tools", "check-tools"]);
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
