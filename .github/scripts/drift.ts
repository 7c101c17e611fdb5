import { existsSync, readFileSync } from "node:fs";
import { fenced, runLink, type Script } from "./github.ts";

const LABEL = "drift";
/** GitHub takes 65536 characters. */
const ROOM = 60_000;

export interface Compared {
    readonly stack: string;
    /** File with what the comparison said. */
    readonly report: string;
    readonly drifted: boolean;
}

/** One open issue for each stack that has drifted: opened, kept up to date, and closed when it is over. */
export async function tellDrift(script: Script, compared: Compared): Promise<void> {
    const { github, context } = script;
    const { stack, report, drifted } = compared;
    const { issues } = github.rest;
    const title = `Stack ${stack} has drifted`;
    const query = { ...context.repo, labels: LABEL, state: "open" } as const;
    const open = (await github.paginate(issues.listForRepo, query)).find(
        (issue) => issue.title === title,
    );
    if (!drifted) {
        if (!open) return;
        const issue = { ...context.repo, issue_number: open.number };
        await issues.createComment({ ...issue, body: `No longer: ${runLink(script)}` });
        await issues.update({ ...issue, state: "closed" });
        return;
    }
    const text = existsSync(report) ? readFileSync(report, "utf8") : "";
    const body = [
        `What the cluster has is not what stack ${stack} says, or could not be compared: ${runLink(script)}.`,
        "",
        fenced(text, ROOM, "diff"),
        "",
        `By hand: \`make drift STACK=${stack}\`. Either the program takes it over, or \`make deploy STACK=${stack}\` takes it back.`,
    ].join("\n");
    if (open) await issues.update({ ...context.repo, issue_number: open.number, body });
    else await issues.create({ ...context.repo, title, body, labels: [LABEL] });
}
