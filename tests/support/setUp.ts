import { afterAll, afterEach, beforeAll, beforeEach } from "@jest/globals";

type Hook = (run: () => Promise<void>, timeoutMilliseconds?: number) => void;

/** Ends of what was set up and is not ended yet. */
const ends: (() => unknown)[] = [];

/**
 * @returns a function that starts something in one hook and ends it in the other one, the newest first. What it
 * returns has the members of what was started, for hooks and tests
 */
function between(before: Hook, after: Hook) {
    return <T extends object>(
        start: () => T | Promise<T>,
        end: (started: T) => unknown,
        timeoutMilliseconds?: number,
    ): T => {
        let started: T | undefined;
        before(async () => {
            started = undefined;
            // Before the start, so that each end has its place, whichever start fails.
            ends.push(() => started && end(started));
            started = await start();
        }, timeoutMilliseconds);
        after(async () => {
            await ends.pop()?.();
        });
        return new Proxy({} as T, {
            get: (_, member) => {
                if (!started) throw new Error(`${String(member)} is used before its set-up`);
                return Reflect.get(started, member) as unknown;
            },
            set: (_, member, value) => started !== undefined && Reflect.set(started, member, value),
            // For copies: { ...started }.
            ownKeys: () => (started ? Reflect.ownKeys(started) : []),
            getOwnPropertyDescriptor: (_, member) => {
                const own = started && Reflect.getOwnPropertyDescriptor(started, member);
                return own && { ...own, configurable: true };
            },
        });
    };
}

/** Starts something before the tests of a file or a `describe`, and ends it after them. */
export const setUp = between(beforeAll, afterAll);

/** Starts something before each test, and ends it after the test. */
export const setUpEach = between(beforeEach, afterEach);

/** @returns a function that takes what is to be ended after the test that runs, the newest first */
export function endAfterTest(): (end: () => unknown) => void {
    const own: (() => unknown)[] = [];
    afterEach(async () => {
        for (const end of own.splice(0).toReversed()) await end();
    });
    return (end) => void own.push(end);
}
