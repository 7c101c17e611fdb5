import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { releaseDeadLocks } from "../src/pulumi/locks.ts";
import { progress } from "../src/pulumi/progress.ts";

describe("what pulumi up prints", () => {
    test("is told once, without ticks and dots", () => {
        const seen = progress();
        const lines = [
            "Updating (local):",
            "@ updating.....",
            " +  kubernetes:core/v1:Namespace edge creating (0s) ",
            " +  kubernetes:core/v1:Namespace edge created (0.06s) ",
            " +  kubernetes:core/v1:Namespace edge created (0.06s) ",
            "",
            " ~  kubernetes:core/v1:Secret keys updating (3s) error: no such namespace",
        ].map((line) => seen.line(line));
        expect(lines.filter((line) => line !== undefined)).toEqual([
            "Updating (local):",
            " +  kubernetes:core/v1:Namespace edge created (0.06s)",
            " ~  kubernetes:core/v1:Secret keys updating (3s) error: no such namespace",
        ]);
    });

    test("is summed up by its counts", () => {
        const seen = progress();
        for (const line of ["Resources:", "    ~ 2 updated", "    70 unchanged"]) seen.line(line);
        expect(seen.summary()).toBe("2 updated, 70 unchanged");
        expect(progress().summary()).toBe("nothing to do");
    });

    test("shows that it was asked to stop", () => {
        const seen = progress();
        expect(seen.cancelling()).toBe(false);
        seen.line(
            "^C received; cancelling. If you would like to terminate immediately, press ^C again.",
        );
        expect(seen.cancelling()).toBe(true);
    });
});

describe("locks of a file backend", () => {
    let backend: string;
    let locks: string;

    beforeEach(async () => {
        backend = await mkdtemp(path.join(tmpdir(), "backend-"));
        locks = path.join(backend, ".pulumi/locks/organization/project/stack");
    });

    afterEach(() => rm(backend, { recursive: true }));

    async function lock(name: string, pid: number, host: string): Promise<void> {
        await mkdir(locks, { recursive: true });
        await writeFile(path.join(locks, name), JSON.stringify({ pid, hostname: host }));
    }

    test("go with the process that was killed; those of living ones and of other machines stay", async () => {
        const dead = 2 ** 22 + 1;
        await lock("dead.json", dead, hostname());
        await lock("alive.json", process.pid, hostname());
        await lock("elsewhere.json", dead, "another-machine");
        expect(await releaseDeadLocks(backend, "project", "stack")).toBe(1);
        expect((await readdir(locks)).toSorted()).toEqual(["alive.json", "elsewhere.json"]);
    });

    test("may be absent", async () => {
        expect(await releaseDeadLocks(backend, "project", "stack")).toBe(0);
    });
});
