import { expect, test } from "@jest/globals";
import { statSync, writeFileSync } from "node:fs";
import path from "node:path";

import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { makeFolder } from "../src/index.ts";

const root = makeTemporaryFolder();

test("a folder is made with those above it, once or again", () => {
    const folder = path.join(root, "a/b/c");
    makeFolder("OUT", folder);
    makeFolder("OUT", folder);
    expect(statSync(folder).isDirectory()).toBe(true);
});

test("a folder that cannot be made is an error that names it, also below /proc", () => {
    const file = path.join(root, "file");
    writeFileSync(file, "");
    for (const folder of ["/proc/x", "/proc/x/y", file, path.join(file, "x")]) {
        expect(() => makeFolder("OUT", folder)).toThrow(
            `OUT is "${folder}"; allowed: a folder that can be written (E`,
        );
    }
});
