import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

test("an integration test may start programs", async () => {
    const { stdout } = await promisify(execFile)("echo", ["started"]);
    expect(stdout).toBe("started\n");
});

test("a test's make takes no options of the one that runs the tests", () => {
    const ofMake = Object.keys(process.env).filter((name) => /^(MAKE|MFLAGS)/.test(name));
    expect(ofMake).toEqual([]);
});
