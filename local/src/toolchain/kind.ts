import path from "node:path";
import type { Step } from "../shell.ts";
import { buildTool } from "./go.ts";
import { KIND } from "./programs.ts";

/** Builds kind once, at the version that is tested with its node image. @returns the program's path */
export async function buildKind(step: Step): Promise<string> {
    return path.join(await buildTool(step, KIND), KIND.module);
}
