import { execFile, execSync, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const REFUSED = 'a unit test starts no program, not "true"; name the file *.integration.test.ts';

test("a unit test that starts a program fails with what to do", async () => {
    expect(() => spawnSync("true")).toThrow(REFUSED);
    expect(() => execSync("true")).toThrow(REFUSED);
    expect(() => promisify(execFile)("true")).toThrow(REFUSED);
    const { stdout } = await promisify(execFile)(process.execPath, ["-p", "1 + 1"]);
    expect(stdout).toBe("2\n");
});

test("a unit test that reaches another machine fails before it does", () => {
    expect(() => connect(443, "example.org")).toThrow(
        'reaches this machine only, not "example.org"',
    );
    expect(() => connect({ port: 443, host: "192.0.2.1" })).toThrow('not "192.0.2.1"');
});
