import { describe, expect, test } from "@jest/globals";

import {
    createNamespaces,
    IDLE_MILLISECONDS,
    MAX_DIMENSIONS,
    MAX_DIMENSIONS_IN_USE,
    MAX_NAMESPACES,
} from "../../src/reuse/namespaces.ts";

function create() {
    const epochs = new Map<string, number>();
    const events: string[] = [];
    let now = 0;
    const namespaces = createNamespaces({
        spaceOf: (pool) => `${pool}${epochs.get(pool) ?? 0}`,
        dimensions: () => 384,
        onAdded: ({ id }) => void events.push(`added ${id}`),
        onRemoved: ({ id }, reason) => void events.push(`${reason} ${id}`),
        now: () => now,
    });
    return {
        namespaces,
        events,
        invalidate: (pool: string) => epochs.set(pool, (epochs.get(pool) ?? 0) + 1),
        look: (pool: string, dimensions?: number) => namespaces.find({ pool, dimensions })?.state,
        /** Like a request whose vector arrives. */
        find: (pool: string, dimensions?: number) => {
            const ref = namespaces.find({ pool, dimensions })?.ref;
            return ref && namespaces.use(pool, ref) ? ref : undefined;
        },
        pass: (milliseconds: number) => {
            now += milliseconds;
        },
    };
}

describe("the namespace of a request", () => {
    test("is one for each pool and number of dimensions", () => {
        const { find } = create();
        const ids = [find("a"), find("b"), find("a", 256), find("a")].map((one) => one?.id);
        expect(ids).toEqual(["a0-384", "b0-384", "a0-256", "a0-384"]);
    });

    test("is another one after the pool's entries were invalidated, and the old one is removed", () => {
        const { find, invalidate, events, namespaces } = create();
        find("a");
        find("b");
        invalidate("a");
        expect(find("a")?.id).toBe("a1-384");
        invalidate("b");
        namespaces.removeInvalidated();
        expect(events).toEqual([
            "added a0-384",
            "added b0-384",
            "invalidated a0-384",
            "added a1-384",
            "invalidated b0-384",
        ]);
        expect(namespaces.all().map(({ tenant }) => tenant)).toEqual(["a"]);
    });

    test("does not exist while as many others are in use, and replaces an idle one", () => {
        const { find, pass, events, namespaces } = create();
        for (let at = 0; at < MAX_NAMESPACES; at += 1) find(`tenant${at}`);
        pass(IDLE_MILLISECONDS - 1);
        for (let at = 1; at < MAX_NAMESPACES; at += 1) find(`tenant${at}`);
        expect(find("new")).toBeUndefined();
        pass(1);
        expect(find("new")?.id).toBe("new0-384");
        expect(events).toContain("replaced tenant00-384");
        expect(namespaces.all()).toHaveLength(MAX_NAMESPACES);
    });

    test("is not in use until a vector has arrived, however many requests there are", () => {
        const { look, find, events } = create();
        for (let length = 1; length <= 100; length += 1) expect(look("bad", length)).toBe("free");
        expect(events).toEqual([]);
        expect(find("good")?.id).toBe("good0-384");
        expect([look("good"), look("bad")]).toEqual(["in use", "free"]);
    });

    test("is not taken into use after its entries were invalidated", () => {
        const { namespaces, invalidate } = create();
        const found = namespaces.find({ pool: "a", dimensions: undefined });
        invalidate("a");
        expect(found && namespaces.use("a", found.ref)).toBe(false);
        expect(namespaces.all()).toEqual([]);
    });

    test("gives way to that of another tenant if its tenant has two more", () => {
        const { find, look, events } = create();
        for (let length = 1; length <= MAX_NAMESPACES; length += 1) find("greedy", length);
        expect(look("greedy", 100)).toBe("full");
        for (const pool of ["a", "b", "c", "d", "e", "f", "g"]) find(pool);
        expect(events.filter((one) => one.startsWith("replaced"))).toEqual(
            [1, 2, 3, 4, 5, 6, 7].map((length) => `replaced greedy0-${length}`),
        );
        expect([look("greedy", 8), look("h")]).toEqual(["in use", "full"]);
    });

    test("has a bounded number of dimensions, and so have all of them", () => {
        const { find, look, namespaces } = create();
        expect(look("a", MAX_DIMENSIONS + 1)).toBeUndefined();
        for (let at = 0; at < MAX_NAMESPACES; at += 1) find(`tenant${at}`, MAX_DIMENSIONS);
        const lengths = namespaces.all().map(({ ref }) => ref.dimensions);
        expect(lengths).toHaveLength(MAX_DIMENSIONS_IN_USE / MAX_DIMENSIONS);
    });
});
