import { expect, test } from "@jest/globals";
import { createSessions } from "../src/sessions.ts";

const MINUTE = 60_000;

test("a session is kept until its lifetime has passed since its last message", () => {
    let now = 0;
    const sessions = createSessions({
        maxSessions: 10,
        lifetimeMilliseconds: 30 * MINUTE,
        now: () => now,
    });
    const session = { constraints: { bedrooms: 2 }, topic: "quiet", turns: [] };
    sessions.set("a", session);
    now = 20 * MINUTE;
    sessions.set("a", session);
    now = 49 * MINUTE;
    expect(sessions.get("a")).toEqual(session);
    now = 50 * MINUTE;
    expect(sessions.get("a")).toEqual({ constraints: {}, topic: "", turns: [] });
    expect(sessions.count()).toBe(0);
});

test("the least recently used is forgotten first, and texts and turns are cut", () => {
    const sessions = createSessions({ maxSessions: 2, lifetimeMilliseconds: MINUTE });
    const turns = Array.from({ length: 9 }, (_, index) => ({
        message: `${index} ${"m".repeat(2_000)}`,
        answer: "a".repeat(2_000),
    }));
    for (const id of ["a", "b", "a", "c"]) {
        sessions.set(id, { constraints: { bedrooms: 1 }, topic: "t", turns });
    }
    expect(sessions.count()).toBe(2);
    expect(sessions.get("b").constraints).toEqual({});
    const kept = sessions.get("a").turns;
    expect(kept.map(({ message }) => message.slice(0, 1))).toEqual(["5", "6", "7", "8"]);
    expect(kept.every(({ message, answer }) => message.length + answer.length === 2_000)).toBe(
        true,
    );
});
