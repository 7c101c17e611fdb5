import { REPOSITORY } from "./paths.ts";
import { run, type Step } from "./shell.ts";

/** Fetches the model once. @returns its folder. */
export async function ensureModel(step: Step): Promise<string> {
    step.report("downloading the model");
    const output = await run(step, "make", ["--silent", "model"], { cwd: REPOSITORY });
    return output.trim().split("\n").at(-1) ?? "";
}
