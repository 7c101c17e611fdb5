import { expect, test } from "@jest/globals";

import { createRoundRobinQueue } from "../../src/threads/roundRobin.ts";
import { createQueueLimit } from "../../src/upstream/queueLimit.ts";

test("Runs of the model serve tenants in turn, and the calls of each in turn", () => {
    const waiting = createRoundRobinQueue<string>();
    const bulk = Array.from({ length: 3 }, () => ({ tenant: "bulk" }));
    for (const [at, call] of bulk.entries()) {
        for (let run = 0; run < 2; run += 1) waiting.add(call, `bulk ${at} ${run}`);
    }
    const search = { tenant: "search" };
    waiting.add(search, "search 0");
    waiting.add(search, "search 1");
    waiting.addFirst(search, "search again");
    const order = Array.from({ length: 9 }, () => waiting.next());
    expect(order).toEqual([
        "bulk 0 0",
        "search again",
        "bulk 1 0",
        "search 0",
        "bulk 2 0",
        "search 1",
        "bulk 0 1",
        "bulk 1 1",
        "bulk 2 1",
    ]);
    expect(waiting.next()).toBeUndefined();
    waiting.add(search, "left");
    expect(waiting.clear()).toEqual(["left"]);
    expect(waiting.next()).toBeUndefined();
});

test("A queue that one tenant has filled has capacity for another, and for itself after it leaves", () => {
    const room = createQueueLimit();
    const load = { items: 1_000, bytes: 1_000 };
    const leave = Array.from({ length: 20 }, () => room.admit("bulk", load));
    expect(leave.every(Boolean)).toBe(true);
    expect(room.admit("bulk", load)).toBeUndefined();
    expect(room.admit("search", load)).toBeDefined();
    expect(room.admit("bulk", load)).toBeUndefined();
    for (const one of leave.slice(0, 12)) one?.();
    expect(room.admit("bulk", load)).toBeDefined();
    expect(room.admit("other", { items: 1, bytes: 64 * 1024 * 1024 })).toBeUndefined();
});
