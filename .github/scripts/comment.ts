import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fenced, runLink, type Script } from "./github.ts";

/** By which the comment of an earlier run is found. */
const MARK = "<!-- what this pull request would do -->";
/** GitHub takes 65536 characters. */
const ROOM = 60_000;
const REPORT = /^(?<kind>policies|preview)-(?<stack>[\w-]+)\.(?:md|txt)$/;

/**
 * One comment on the pull request, which each run writes anew: what policies say of each stack, and what would
 * change in it.
 *
 * @param folder with `policies-<stack>.md` and `preview-<stack>.txt`, as far as there are any
 */
export async function comment(script: Script, folder: string): Promise<void> {
    const { github, context } = script;
    const { pull_request: pull } = context.payload;
    if (!pull) throw new Error("this is no run of a pull request");
    const head = `${pull.head.sha.slice(0, 7)}, ${runLink(script)}`;
    const body = [MARK, ...sections(folder), "", `<sub>Of ${head}</sub>`].join("\n");
    const issue = { ...context.repo, issue_number: pull.number };
    const comments = await github.paginate(github.rest.issues.listComments, issue);
    const own = comments.find(
        (one) => one.user?.type === "Bot" && one.body?.startsWith(MARK) === true,
    );
    if (own) {
        await github.rest.issues.updateComment({ ...context.repo, comment_id: own.id, body });
    } else await github.rest.issues.createComment({ ...issue, body });
}

function sections(folder: string): string[] {
    const all = existsSync(folder) ? readdirSync(folder) : [];
    const files = all.sort().filter((name) => REPORT.test(name));
    if (files.length === 0) return ["No report came to its end; the run says why."];
    const room = Math.floor(ROOM / files.length);
    return files.map((name) => {
        const { kind, stack = "" } = REPORT.exec(name)?.groups ?? {};
        const text = readFileSync(path.join(folder, name), "utf8");
        if (kind === "policies") return whole(text, room);
        const verdict = text.split("\n", 1)[0] ?? "";
        const summary = `<summary>Preview of stack ${stack}: ${escaped(verdict)}</summary>`;
        return `<details>\n${summary}\n\n${fenced(text, room, "diff")}\n\n</details>\n`;
    });
}

/** A verdict, as a line of HTML. */
function escaped(text: string): string {
    return text
        .replace(/^Stack \S+: /, "")
        .slice(0, VERDICT_CHARACTERS)
        .replaceAll(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const VERDICT_CHARACTERS = 300;

/** Markdown, up to the last finding that fits as a whole. */
function whole(text: string, room: number): string {
    if (text.length <= room) return text;
    const end = text.lastIndexOf("\n- ", room);
    return `${text.slice(0, end < 0 ? room : end)}\n\n… and more, in the run's log\n`;
}
