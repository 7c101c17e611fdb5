import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, test } from "@jest/globals";

import { nextBulkTurn } from "../src/bulkTurn.ts";

test("Bulk work of several requests continues in one turn of the event loop each", async () => {
    let turn = 0;
    const turns: number[] = [];
    const work = async (): Promise<void> => {
        for (let part = 0; part < 3; part += 1) {
            await nextBulkTurn();
            turns.push(turn);
        }
    };
    const working = Promise.all([work(), work(), work()]);
    for (; turns.length < 9; turn += 1) await nextTurn();
    await working;
    expect(new Set(turns).size).toBe(9);
});
