import { expect, jest, test } from "@jest/globals";
import { startInBackground } from "../src/background.ts";
import type { Step } from "../src/shell.ts";

const { signal } = new AbortController();
const own = { log: "", signal };
const stepOf = (report: (line: string) => void): Step => ({ ...own, report });

test("waiting for background work shows its progress from then on", async () => {
    let end: (value: number) => void = () => undefined;
    let step = stepOf(() => undefined);
    const work = startInBackground(own, (given) => {
        step = given;
        step.report("first");
        return new Promise<number>((resolve) => (end = resolve));
    });
    step.report("second");
    const lines: string[] = [];
    const finished = work.wait(stepOf((line) => lines.push(line)));
    step.report("third");
    end(7);
    expect(await finished).toBe(7);
    expect(lines).toEqual(["second", "third"]);
});

test("a failure before anything waits for it ends no process, and is thrown to what does", async () => {
    const unhandled = jest.fn();
    process.once("unhandledRejection", unhandled);
    const work = startInBackground(own, () => Promise.reject(new Error("no compiler")));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(work.wait(stepOf(() => undefined))).rejects.toThrow("no compiler");
    expect(unhandled).not.toHaveBeenCalled();
});
