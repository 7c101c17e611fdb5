import { expect, test } from "@jest/globals";
import { pino } from "pino";

import { createStateKeeper } from "../../src/reuse/records/stateKeeper.ts";

const NAMESPACE = { id: "a-16", dimensions: 16 };

function create(stored?: Uint8Array) {
    const calls: string[] = [];
    const call = <T>(name: string, result: T): Promise<T> => {
        calls.push(name);
        return Promise.resolve(result);
    };
    const keeper = createStateKeeper({
        store: {
            readState: () => call("read", stored),
            saveState: (_, [first]) => call(`store ${first}`, undefined),
            removeState: () => call("remove", undefined),
        },
        thread: {
            save: () => call("save", Uint8Array.of(7)),
            restore: ({ sealed: [first] }) => call(`restore ${first}`, true),
        },
        log: pino({ level: "silent" }),
    });
    return { keeper, calls };
}

test("a namespace is stored only after it has got what was stored", async () => {
    const { keeper, calls } = create(Uint8Array.of(1));
    await keeper.stop();
    expect(calls).toEqual([]);
    await keeper.restore(NAMESPACE);
    await keeper.stop();
    expect(calls).toEqual(["read", "restore 1", "save", "store 7"]);
});

test("a namespace is not stored if the thread could not take what was stored", async () => {
    const calls: string[] = [];
    const keeper = createStateKeeper({
        store: {
            readState: () => Promise.resolve(Uint8Array.of(1)),
            saveState: () => Promise.resolve(void calls.push("store")),
            removeState: () => Promise.resolve(),
        },
        thread: {
            save: () => Promise.resolve(Uint8Array.of(7)),
            restore: () => Promise.resolve("unavailable"),
        },
        log: pino({ level: "silent" }),
    });
    await expect(keeper.restore(NAMESPACE)).rejects.toThrow("The thread is not running");
    await keeper.stop();
    expect(calls).toEqual([]);
});

test("what was learned from vectors that may be wrong is removed, and not stored again", async () => {
    const { keeper, calls } = create();
    await keeper.restore(NAMESPACE);
    const storing = keeper.stop();
    keeper.removeAll();
    await storing;
    expect(calls).toEqual(["read", "save", "remove"]);
});
