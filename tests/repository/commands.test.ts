import { describe, expect, test } from "@jest/globals";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROWS } from "../../config/settings/index.ts";
import { COMMAND_VARIABLES } from "../../config/settingsReference.ts";
import {
    commandsOf,
    PAGES,
    ROOT,
    splitCommands,
    type DocCommand,
} from "../support/docs/commands.ts";
import { readMakefile } from "../support/docs/makefile.ts";
import { PATTERNS, runOf, TESTS_OF_COMMANDS } from "../support/docs/runs.ts";

const COMMANDS = PAGES.flatMap(commandsOf);
const of = (program: string) => COMMANDS.filter(({ words }) => words[0] === program);
const inRoot = (file: string) => path.join(ROOT, file);
const read = (file: string) => readFileSync(inRoot(file), "utf8");
/** Pages show what is wrong with their commands. */
const listOf = (commands: readonly DocCommand[]) =>
    commands.map(({ page, text }) => `${page}: ${text}`);

/** A name for what the reader fills in. */
const isPlaceholder = (word: string) => /^[A-Z]+$|…|<.*>|^\$/.test(word);

describe("splitCommands", () => {
    test("splits a script like a shell", () => {
        const script = `
            A=1; make up CMD="GET /state" DATA='{"a":"b c"}' < file   # a comment; make down
            for key in a b; do openssl rand | pulumi config set "$key"; done
            eval "$(make pulumi-env STACK=dev)" && curl -d x \\
                https://host/path#part`;
        expect(splitCommands(script)).toEqual([
            ["make", "pulumi-env", "STACK=dev"],
            ["make", "up", "CMD=GET /state", 'DATA={"a":"b c"}'],
            ["openssl", "rand"],
            ["pulumi", "config", "set", "$key"],
            ["curl", "-d", "x", "https://host/path#part"],
        ]);
    });
});

describe("commands of the pages", () => {
    const { targets, variablesOf } = readMakefile();

    test("are found", () => {
        expect(COMMANDS.length).toBeGreaterThan(300);
    });

    test("are run by a test that exists, or are listed with a reason", () => {
        const unknown = COMMANDS.filter(({ words, ...command }) => {
            // Prose that mentions a program or a target alone is no command to run.
            const isMention = command.isInline && words.length < 3 && words[0] !== "curl";
            return !isMention && runOf(command) === undefined;
        });
        expect(listOf(unknown)).toEqual([]);
        expect(TESTS_OF_COMMANDS.filter((file) => !existsSync(inRoot(file)))).toEqual([]);
        const unused = PATTERNS.filter(
            (pattern) => !COMMANDS.some(({ text }) => pattern.test(text)),
        );
        expect(unused).toEqual([]);
    });

    test("name targets of the Makefile, and variables that these read", () => {
        const wrong = of("make").filter(({ words: [, target = "", ...words] }) => {
            if (!targets.has(target)) return true;
            const known = variablesOf(target);
            return words.some((word) => {
                const [name = ""] = word.split("=");
                return !word.includes("=") || !(known.has(name) || name in COMMAND_VARIABLES);
            });
        });
        expect(listOf(wrong)).toEqual([]);
    });

    test("name scripts, configs and files of tests that exist", () => {
        const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
        const wrong = of("npm").filter(({ words }) => {
            const [, verb = "", ...rest] = words;
            if (verb === "install") return false;
            if (verb === "run" && !(rest[0] ?? "" in scripts)) return true;
            if (verb !== "run" && verb !== "test") return true;
            const config = words[words.indexOf("--config") + 1];
            const paths = words
                .slice(words.indexOf("--") + 1)
                .filter(
                    (word, at, all) => /^[a-z]/i.test(word) && !/^-[-\w]+$/.test(all[at - 1] ?? ""),
                );
            const kinds = { integration: "integration", exhaustive: "exhaustive" } as const;
            const kind = Object.values(kinds).find((name) => config?.includes(name));
            const suffix = kind === undefined ? ".test.ts" : `.${kind}.test.ts`;
            return words.includes("--") && paths.some((start) => !hasTests(start, suffix));
        });
        expect(listOf(wrong)).toEqual([]);
    });

    test("name files and folders that exist", () => {
        const wrong = of("node").filter(({ words: [, ...words] }) => {
            const file = words.find((word) => !word.startsWith("-"));
            return !words.includes("-e") && !existsSync(inRoot(file ?? ""));
        });
        expect(listOf(wrong)).toEqual([]);
    });

    test("set keys of the stack's config", () => {
        const keys = COMMANDS.filter(({ page }) => !page.startsWith("examples/")).flatMap(
            ({ page, text, words }) => {
                const key = text.startsWith("pulumi config set")
                    ? words.slice(3).find((word) => !word.startsWith("--"))
                    : words.find((word) => word.startsWith("SECRET="))?.slice("SECRET=".length);
                const name = key?.replace(/^property-search:|^\["|"\].*$/g, "") ?? "";
                return name === "" || isPlaceholder(name) || ROWS.has(name)
                    ? []
                    : [`${page}: ${text}`];
            },
        );
        expect(keys).toEqual([]);
    });
});

function hasTests(start: string, suffix: string): boolean {
    return globSync([`${start}*`, `${start}/**`], {
        cwd: ROOT,
        exclude: ["**/node_modules/**"],
    }).some((file) => file.endsWith(suffix));
}
