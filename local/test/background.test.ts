import { expect, jest, test } from "@jest/globals";
import { begin } from "../src/background.ts";
import type { Step } from "../src/shell.ts";

const { signal } = new AbortController();
const own = { log: "", signal };
const stepOf = (say: (line: string) => void): Step => ({ ...own, say });

test("work that has begun is waited for, and tells where it is from then on", async () => {
    let end: (value: number) => void = () => undefined;
    let step = stepOf(() => undefined);
    const work = begin(own, (given) => {
        step = given;
        step.say("first");
        return new Promise<number>((resolve) => (end = resolve));
    });
    step.say("second");
    const said: string[] = [];
    const finished = work.finish(stepOf((line) => said.push(line)));
    step.say("third");
    end(7);
    expect(await finished).toBe(7);
    expect(said).toEqual(["second", "third"]);
});

test("a failure before anything waits for it ends no process, and is thrown to what does", async () => {
    const unhandled = jest.fn();
    process.once("unhandledRejection", unhandled);
    const work = begin(own, () => Promise.reject(new Error("no compiler")));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(work.finish(stepOf(() => undefined))).rejects.toThrow("no compiler");
    expect(unhandled).not.toHaveBeenCalled();
});
