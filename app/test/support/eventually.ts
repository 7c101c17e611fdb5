import { setTimeout as wait } from "node:timers/promises";

/** Polls until the condition is true; otherwise the test fails with the condition's name, before its own timeout. */
export async function eventually(
    what: string,
    holds: () => boolean | Promise<boolean>,
    seconds = 200,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await holds())) {
        if (Date.now() > deadline) throw new Error(`${what}: not so after ${seconds} s`);
        await wait(20);
    }
}
