import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { listLeftovers } from "../../local/src/node/remove.ts";
import { hostState, type HostState } from "../support/host.ts";
import { interruptUp, make } from "../support/makeUp.ts";

// Time limits hold with the caches of an earlier `make up`: without them the first run compiles for minutes.
let before: HostState;

beforeAll(async () => {
    expect(await make("down")).toMatchObject({ exitCode: 0 });
    before = await hostState();
});

afterAll(async () => {
    await make("down");
});

describe("make up, killed at any step, is finished by the next one", () => {
    // Each run starts from what the one before has left, and gets further than it.
    test.each([
        ["while certificates are created", /creating certificates/, "SIGKILL"],
        ["while the node starts", /› starting/, "SIGKILL"],
        ["while images are imported", /importing embedding-service/, "SIGKILL"],
        ["while addons come", /waiting for coredns/, "SIGKILL"],
        ["while the stack's objects are made", /applied Service|Service .* created/, "SIGKILL"],
        ["while the stack is applied", /rendered \d+ objects|Updating \(/, "SIGINT"],
    ] as const)(
        "%s",
        async (_, line, signal) => {
            await interruptUp(line, signal);
        },
        240_000,
    );

    test("an undisturbed run serves and completes", async () => {
        const run = await make("up");
        expect(run.output).toMatch(/Up in \d+ s/);
        expect(run.exitCode).toBe(0);
    }, 240_000);

    test("another run with nothing to do changes nothing, and ends within two minutes", async () => {
        const run = await make("up");
        expect(run).toMatchObject({ exitCode: 0 });
        expect(run.output).toMatch(/ 0 changed|  \d+ unchanged$/m);
        expect(run.seconds).toBeLessThan(120);
    });
});

describe("make down", () => {
    test("removes a node completely", async () => {
        expect(await make("down")).toMatchObject({ exitCode: 0 });
        expect(await listLeftovers()).toEqual([]);
        expect(await hostState()).toEqual(before);
    });

    test("succeeds without a node", async () => {
        expect(await make("down")).toMatchObject({ exitCode: 0 });
        expect(await hostState()).toEqual(before);
    });

    test("removes a partially created node", async () => {
        await interruptUp(/› starting/, "SIGKILL");
        expect(await make("down")).toMatchObject({ exitCode: 0 });
        expect(await hostState()).toEqual(before);
    }, 180_000);
});
