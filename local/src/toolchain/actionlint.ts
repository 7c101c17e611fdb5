import { existsSync } from "node:fs";
import path from "node:path";
import { requireTools } from "../preflight.ts";
import { LocalError, type Step } from "../shell.ts";
import { listBinaries, buildTool, buildFolder } from "./go.ts";
import { ACTIONLINT } from "./programs.ts";

const NAME = "actionlint";

/** Builds actionlint, the linter of GitHub's workflows, once. @returns where it is. */
export async function buildActionlint(step: Step): Promise<string> {
    await requireTools(["go"]);
    return buildTool(step, ACTIONLINT);
}

/** Its program. @throws LocalError when it has not been built. */
export async function actionlint(): Promise<string> {
    const folder = await buildFolder(ACTIONLINT);
    if (!existsSync(folder)) throw new LocalError("there is no actionlint: make actionlint");
    return path.join((await listBinaries(folder))[NAME] ?? "", NAME);
}
