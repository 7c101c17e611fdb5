import { expect, test } from "@jest/globals";
import { execa } from "execa";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** As make starts them: a program that does not load has no command. */
test.each(["deploy", "release", "local"])("%s lists its commands", async (folder) => {
    const main = path.join(ROOT, folder, "src/main.ts");
    const { stdout } = await execa(process.execPath, [main, "--help"]);
    expect(stdout).toContain("Commands:");
});
