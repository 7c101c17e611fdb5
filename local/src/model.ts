import path from "node:path";
import { REPOSITORY } from "./paths.ts";
import { run, tryRun, type Step } from "./shell.ts";

const FETCH = path.join(REPOSITORY, "app/model/fetch.sh");

/** Downloads the model once. @returns its folder. */
export async function ensureModel(step: Step): Promise<string> {
    const cached = await tryRun(FETCH, ["--check"]);
    if (cached !== undefined) return cached;
    step.report("downloading the model");
    const output = await run(step, FETCH, [], { doing: "downloading the model" });
    return output.trim();
}
