import { describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Cluster } from "../../cluster/connect.ts";
import { assertMayDisturb } from "../../rehearse/clusterGuard.ts";
import { describeMake } from "../../rehearse/make.ts";
import { findRehearsal, REHEARSAL_NAMES, REHEARSALS } from "../../rehearse/rehearsals.ts";
import { EXERCISES, parseExercise } from "../../training/course.ts";
import { waitUntil } from "../../rehearse/wait.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFile(path.join(ROOT, file), "utf8");

describe("the rehearsals", () => {
    test("have names of their own, and a section in docs/rehearsals.md", async () => {
        expect(new Set(REHEARSAL_NAMES).size).toBe(REHEARSALS.length);
        const page = await read("docs/rehearsals.md");
        const sections = [...page.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);
        expect(sections.sort()).toEqual([...REHEARSAL_NAMES].sort());
    });

    test("provoke alerts that have a runbook, which leads to them", async () => {
        for (const { name, alerts } of REHEARSALS) {
            for (const alert of alerts) {
                const page = await read(`docs/runbooks/${alert}.md`);
                expect(page).toContain(`rehearsals.md#${name}`);
            }
        }
    });

    test("reject an unknown name with the known ones", () => {
        expect(() => findRehearsal("redis")).toThrow(
            /NAME is "redis"; allowed: all, .*redis-loss.*restore-from-nothing/,
        );
    });
});

describe("a cluster may be disturbed", () => {
    const cluster = { context: "shop" } as Cluster;
    const command = "make rehearse NAME=redis-loss";
    const of = (confirm: string | undefined, localOnly = false) => ({
        ...{ cluster, command, confirm, localOnly },
    });

    test.each([
        ["it is local", of(undefined), true],
        ["it is local, and the rehearsal is for it only", of(undefined, true), true],
        ["its context is confirmed by name", of("shop"), false],
    ])("if %s", (_, disturbance, isLocal) => {
        expect(() => {
            assertMayDisturb(disturbance, isLocal);
        }).not.toThrow();
    });

    test.each([
        ["without a confirmation", of(undefined), /CONFIRM is not set; allowed: .*CONFIRM=shop/],
        ["with an empty one", of(""), /CONFIRM is not set/],
        ["with that of another", of("yes"), /CONFIRM is "yes"/],
        ["if only the local one may be", of("shop", true), /the cluster of make up only/],
    ])("not %s", (_, disturbance, message) => {
        expect(() => {
            assertMayDisturb(disturbance, false);
        }).toThrow(message);
    });
});

test("commands are shown as they are typed", () => {
    expect(describeMake(["switch", "TO=green", "PLAN=--steps 10"])).toBe(
        'make switch TO=green PLAN="--steps 10"',
    );
});

describe("waiting", () => {
    test("counts an error as not yet, and names the condition after the timeout", async () => {
        const check = () => Promise.reject(new Error("no pod"));
        await expect(waitUntil("Redis is ready", check, { seconds: 0 })).rejects.toThrow(
            "not within 0 s: Redis is ready: no pod",
        );
    });

    test("ends with an interruption", async () => {
        const signal = AbortSignal.abort(new Error("interrupted"));
        const never = () => Promise.resolve(false);
        await expect(waitUntil("never", never, { seconds: 60, signal })).rejects.toThrow(
            "interrupted",
        );
    });
});

describe("the training course", () => {
    test("has a section with a solution for each exercise", async () => {
        const sections = (await read("docs/training.md")).split(/^## Exercise /m).slice(1);
        expect(sections.map((section) => section[0])).toEqual(
            EXERCISES.map((_, index) => String(index + 1)),
        );
        for (const section of sections) expect(section).toMatch(/<details>[^]*```sh\n[^]+```/);
    });

    test.each(["0", "6", "1.5", "one", ""])("rejects exercise %j", (text) => {
        expect(() => parseExercise(text)).toThrow(/EXERCISE .*allowed: 1 to 5/);
    });
});
