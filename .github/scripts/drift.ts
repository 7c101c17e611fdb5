import { existsSync, readFileSync } from "node:fs";
import { MAX_CHARACTERS, runLink, toCodeBlock, type Script } from "./github.ts";

const LABEL = "drift";

export interface DriftResult {
    readonly stack: string;
    /** File with the output of the comparison. */
    readonly report: string;
    readonly hasDrifted: boolean;
}

/** Opens, updates or closes the issue of a stack's drift. */
export async function updateDriftIssue(script: Script, result: DriftResult): Promise<void> {
    const { github, context } = script;
    const { stack, report, hasDrifted } = result;
    const { issues } = github.rest;
    const title = `Stack ${stack} has drifted`;
    const query = { ...context.repo, labels: LABEL, state: "open" } as const;
    const open = (await github.paginate(issues.listForRepo, query)).find(
        (issue) => issue.title === title,
    );
    if (!hasDrifted) {
        if (!open) return;
        const issue = { ...context.repo, issue_number: open.number };
        await issues.createComment({ ...issue, body: `The drift is resolved: ${runLink(script)}` });
        await issues.update({ ...issue, state: "closed" });
        return;
    }
    const text = existsSync(report) ? readFileSync(report, "utf8") : "";
    const body = [
        `The cluster differs from stack ${stack}, or could not be compared: ${runLink(script)}.`,
        "",
        toCodeBlock(text, MAX_CHARACTERS, "diff"),
        "",
        `Reproduce with \`make drift STACK=${stack}\`. Change the program to match, or restore the stack with \`make deploy STACK=${stack}\`.`,
    ].join("\n");
    if (open) await issues.update({ ...context.repo, issue_number: open.number, body });
    else await issues.create({ ...context.repo, title, body, labels: [LABEL] });
}
