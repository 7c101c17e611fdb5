import { existsSync } from "node:fs";
import path from "node:path";
import { requireTools } from "../preflight.ts";
import { LocalError, type Step } from "../shell.ts";
import { ACTIONLINT, buildGo, folderOf } from "./go.ts";

/** Builds actionlint, the linter of GitHub's workflows, once. @returns where it is. */
export async function buildActionlint(step: Step): Promise<string> {
    await requireTools(["go"]);
    return buildGo(step, ACTIONLINT);
}

/** Its program. @throws LocalError when it has not been built. */
export async function actionlint(): Promise<string> {
    const program = path.join(await folderOf(ACTIONLINT), ACTIONLINT.name);
    if (existsSync(program)) return program;
    throw new LocalError("there is no actionlint: make actionlint");
}
