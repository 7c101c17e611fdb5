import { expect, test } from "@jest/globals";
import { execa } from "execa";
import { readFile } from "node:fs/promises";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../../..");

async function helpOf(main: string): Promise<string> {
    const { stdout } = await execa(process.execPath, [path.join(ROOT, main), "--help"]);
    return stdout;
}

/** Starts a program as make does: one that does not load has no command. */
test.each(["operations/cli/main.ts", "local/src/main.ts"])(
    "%s lists its commands",
    async (main) => {
        expect(await helpOf(main)).toContain("Commands:");
    },
);

test("the help lists every command that make calls, once", async () => {
    const makefile = await readFile(path.join(ROOT, "Makefile"), "utf8");
    const called = [...makefile.matchAll(/\$\(OPERATIONS\) ([a-z-]+)/g)].map(([, name]) => name);
    const listed = [...(await helpOf("operations/cli/main.ts")).matchAll(/^ {2}([a-z-]+)/gm)];
    const commands = listed.map(([, name]) => name);
    expect(called.length).toBeGreaterThan(10);
    expect(commands).toEqual(expect.arrayContaining(called));
    expect(new Set(commands).size).toBe(commands.length);
});
