import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { commandsOf, PAGES, shell, type Ended } from "../support/docs/commands.ts";

import { startDocService, type DocService } from "../support/docs/service.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

/* Commands of the pages that start many processes: seconds each, for what seldom changes. */

const COMMANDS = PAGES.flatMap(commandsOf);
const unique = (texts: readonly string[]) => [...new Set(texts)];
const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Command lines of the repository. */
const PROGRAMS = [
    ...["operations/cli/main.ts", "policies/main.ts", "local/src/main.ts", "render.ts"],
    ...["insights/src/main.ts", "config/capacityCommand.ts"],
    ...["service", "semantic", "policies", "judge"].map((name) => `bench/${name}/main.ts`),
];

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

    test.each(PROGRAMS)("%s describes itself, its commands and flags", async (program) => {
        const { exitCode, output } = await shell(`COLUMNS=200 node ${program} --help`);
        expect(exitCode).toBe(0);
        const [, description = "", ...rest] = output.split(/\n\n/);
        expect(description).toMatch(/^[A-Z][^]*[^.]$/);
        const rows = rest
            .flatMap((part) => part.split("\n").slice(1))
            .filter((line) => /^ {2}\S/.test(line));
        // A name, two blanks and the words, which begin with a small letter or a name.
        expect(rows.filter((row) => !/^ {2}\S.*? {2,}[^\s(].*[^.]$/.test(row))).toEqual([]);
        expect(rows.length).toBeGreaterThan(0);
    });

    test("commands that need no cluster succeed", async () => {
        const commands = matching(
            /^(make (help|tenant-key TENANT=search)|make (render|policies) STACK=prod|node \S+ (\w+ )?--help)$/,
        );
        const folder = makeTemporaryFolder();
        const results = await allOf(
            commands.map((text) => text.replace(/^'make' 'render'.*/, `$& OUT=${folder}`)),
        );
        expect(failed(results)).toEqual([]);
        expect(commands).toContain("'make' 'render' 'STACK=prod'");
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

describe("make admin", () => {
    let service: DocService;
    beforeAll(async () => {
        service = await startDocService();
    });
    afterAll(() => service.stop());

    test("of each page is answered by a process", async () => {
        const calls = unique(
            COMMANDS.filter(
                ({ words: [, target, ...rest] }) => target === "admin" && rest.length > 0,
            ).map(({ words }) =>
                words
                    // A process has no cluster, and no pods to choose from.
                    .filter((word) => !/^(CONTEXT|COLOUR|POD|DEV|URL)=/.test(word))
                    .map((word) => quote(word.replace(/(?<=^(IN|OUT)=)/, `${service.folder}/`)))
                    .join(" "),
            ),
        );
        const rules = await service.admin("/semantic/rules");
        const { version } = (rules as { rules: { version: number } }).rules;
        const files = {
            "rules.json": {
                actor: "ann",
                rules: { ...(rules as { rules: object }).rules, version: version + 1 },
            },
        };
        await writeFile(
            path.join(service.folder, "rules.json"),
            JSON.stringify(files["rules.json"]),
        );
        // What is imported was exported before; a page names it `file`.
        const script = (call: string) =>
            `${call.replace("/file'", "/search.ndjson'")} URL=${service.env.ADMIN_URL}`;
        // An import needs its export, and no setting changes once tuning is stopped.
        const rank = (call: string) =>
            /PUT .settings.tuning/.test(call) ? 2 : Number(call.includes("/import"));
        const ordered = [...calls].sort((a, b) => rank(a) - rank(b));
        const results: Ended[] = [];
        for (const call of ordered)
            results.push(await shell(script(call), { ADMIN_TOKEN: service.env.ADMIN_TOKEN }));
        expect(failed(results).filter(({ output }) => !output.includes("no texts of"))).toEqual([]);
        expect(results.length).toBeGreaterThan(8);
    });
});
