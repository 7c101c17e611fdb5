import { expect, test } from "@jest/globals";
import { pino } from "pino";

import { createTextFollower } from "../../src/reuse/records/textFollower.ts";
import type { AdoptRequest } from "../../src/reuse/thread/messages.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { eventually } from "../support/eventually.ts";
import { trueVector } from "../support/vectors.ts";

test("a text of another pod is usable as long as the entry with its vector, also when that is stale", async () => {
    const adopted: AdoptRequest[] = [];
    const completed: number[] = [];
    const lifetime = { createdAt: 0, freshUntil: 5_000, computeMilliseconds: 1 };
    const follower = createTextFollower({
        store: {
            append: () => Promise.resolve(),
            readSince: () => Promise.resolve([{ key: "a", time: 1 }]),
            read: () => Promise.resolve([{ key: "a", sealed: Uint8Array.of(1) }]),
            remove: () => Promise.resolve(),
            drop: () => Promise.resolve(),
            saveState: () => Promise.resolve(),
            readState: () => Promise.resolve(undefined),
            removeState: () => Promise.resolve(),
        },
        readVectors: () =>
            Promise.resolve(new Map([["a", createEmbedding(trueVector("a"), 1, false, lifetime)]])),
        staleSeconds: 60,
        adopt: (request) => {
            adopted.push(request);
            return Promise.resolve({ unreadable: [] });
        },
        onComplete: () => {
            completed.push(adopted.length);
            return completed.length === 1
                ? Promise.reject(new Error("Redis is unavailable"))
                : Promise.resolve();
        },
        log: pino({ level: "silent" }),
    });
    follower.follow({ id: "n", dimensions: 16 });
    await eventually("it is adopted", () => completed.length === 1);
    // Again, because it failed, and only until it is successful.
    follower.follow({ id: "other", dimensions: 16 });
    await eventually("it is tried again", () => completed.length === 3);
    follower.stop();
    expect(completed).toEqual([1, 1, 2]);
    expect(adopted[0]?.texts).toMatchObject([{ key: "a", usableUntil: 65_000 }]);
});
