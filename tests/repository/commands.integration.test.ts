import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import {
    commandsOf,
    PAGES,
    ROOT,
    shell,
    type DocCommand,
    type Ended,
} from "../support/docs/commands.ts";
import { readMakefile } from "../support/docs/makefile.ts";
import { startDocService, type DocService } from "../support/docs/service.ts";

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

    test("make capacity reports all wrong values by the names that were typed", async () => {
        const flags = "--min-replicas 2.5 --cpu-request 0";
        const { exitCode, output } = await shell(
            `make capacity TEXTS=abc MODEL=none FLAGS="${flags}" 2>&1`,
        );
        expect(exitCode).not.toBe(0);
        expect(output).toContain('TEXTS (--texts) is "abc"; allowed: a number from 1 to');
        expect(output).toContain('MODEL (--model) is "none"; allowed: all-MiniLM-L6-v2');
        expect(output).toContain('--min-replicas is "2.5"; allowed: a whole number from 1 to 1000');
        expect(output).toContain('--cpu-request is "0"; allowed: CPUs such as');
    });

    test("the command that prints a dashboard prints JSON", async () => {
        const [command] = COMMANDS.filter(({ text }) => text.startsWith("node -e"));
        const { stdout } = await run("node", command?.words.slice(1) ?? [], { cwd: ROOT });
        expect(JSON.parse(stdout)).toHaveProperty("panels");
    });
});

describe("on a service", () => {
    let service: DocService;
    beforeAll(async () => {
        service = await startDocService();
    });
    afterAll(() => service.stop());

    /** Sends what curl of a page sends. */
    async function curl({ words }: DocCommand): Promise<Ended & { status: number }> {
        const { key } = (await service.admin("/entries/inspect", { input: "two rooms" })) as {
            key: string;
        };
        const { own } = (await service.admin("/builds")) as { own: { buildId: string } };
        const script = words
            .map((word) => (word.includes("$") ? `"${word}"` : quote(word)))
            .join(" ")
            .replace(/^'curl'/, "curl -s -w '\\n%{http_code}'")
            .replace("localhost:8001", service.local)
            .replace("localhost:3000", service.example)
            .replace("https://HOST", service.env.URL)
            .replace("Bearer KEY", "Bearer anonymous")
            .replaceAll(/(?<=entries\/)KEY/g, key)
            .replaceAll(/(?<=quarantines\/)BUILD/g, own.buildId);
        const ended = await shell(script, service.env, service.folder);
        return { ...ended, status: Number(ended.output.trim().split("\n").at(-1)) };
    }

    test("each curl of the pages is answered", async () => {
        const calls = COMMANDS.filter(
            ({ words, text }) =>
                words[0] === "curl" && words.length > 2 && !text.includes("received"),
        );
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
