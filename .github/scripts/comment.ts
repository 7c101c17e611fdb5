import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { MAX_CHARACTERS, runLink, toCodeBlock, type Script } from "./github.ts";

/** Identifies the comment of an earlier run. */
const MARKER = "<!-- pull request report -->";
const REPORT = /^(?<kind>policies|preview)-(?<stack>[\w-]+)\.(?:md|txt)$/;

/**
 * Creates or updates the one comment on the pull request: policy results and planned changes of each stack.
 *
 * @param folder contains `policies-<stack>.md` and `preview-<stack>.txt`, if they exist
 */
export async function comment(script: Script, folder: string): Promise<void> {
    const { github, context } = script;
    const { pull_request: pull } = context.payload;
    if (!pull) throw new Error("this run does not belong to a pull request");
    const head = `${pull.head.sha.slice(0, 7)}, ${runLink(script)}`;
    const body = [MARKER, ...sections(folder), "", `<sub>Commit ${head}</sub>`].join("\n");
    const issue = { ...context.repo, issue_number: pull.number };
    const comments = await github.paginate(github.rest.issues.listComments, issue);
    const own = comments.find(
        (one) => one.user?.type === "Bot" && one.body?.startsWith(MARKER) === true,
    );
    if (own) {
        await github.rest.issues.updateComment({ ...context.repo, comment_id: own.id, body });
    } else await github.rest.issues.createComment({ ...issue, body });
}

function sections(folder: string): string[] {
    const all = existsSync(folder) ? readdirSync(folder) : [];
    const files = all.sort().filter((name) => REPORT.test(name));
    if (files.length === 0) return ["No report was completed; see the run's log."];
    const maxCharacters = Math.floor(MAX_CHARACTERS / files.length);
    return files.map((name) => {
        const { kind, stack = "" } = REPORT.exec(name)?.groups ?? {};
        const text = readFileSync(path.join(folder, name), "utf8");
        if (kind === "policies") return truncateReport(text, maxCharacters);
        const headline = text.split("\n", 1)[0] ?? "";
        const summary = `<summary>Preview of stack ${stack}: ${escapeHeadline(headline)}</summary>`;
        return `<details>\n${summary}\n\n${toCodeBlock(text, maxCharacters, "diff")}\n\n</details>\n`;
    });
}

/** Converts a headline to a line of HTML. */
function escapeHeadline(text: string): string {
    return text
        .replace(/^Stack \S+: /, "")
        .slice(0, HEADLINE_CHARACTERS)
        .replaceAll(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const HEADLINE_CHARACTERS = 300;

/** Truncates Markdown after the last list item that fits completely. */
function truncateReport(text: string, maxCharacters: number): string {
    if (text.length <= maxCharacters) return text;
    const end = text.lastIndexOf("\n- ", maxCharacters);
    return `${text.slice(0, end < 0 ? maxCharacters : end)}\n\n… and more, in the run's log\n`;
}
