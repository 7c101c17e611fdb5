/** The part of the actions/github-script arguments that these scripts use. */
export interface Script {
    readonly github: Octokit;
    readonly context: Context;
}

export interface Context {
    readonly repo: Repository;
    readonly serverUrl: string;
    readonly runId: number;
    /** Commit of the workflow run. */
    readonly sha: string;
    readonly payload: {
        readonly pull_request?: {
            readonly number: number;
            readonly head: { readonly sha: string };
        };
    };
}

export interface Repository {
    readonly owner: string;
    readonly repo: string;
}

export interface Numbered {
    readonly number: number;
}

export interface Comment {
    readonly id: number;
    readonly body?: string;
    readonly user: { readonly type: string } | null;
}

export interface Issue extends Numbered {
    readonly title: string;
}

type Call<Arguments, Data = unknown> = (
    args: Repository & Arguments,
) => Promise<{ readonly data: Data }>;

/** https://octokit.github.io/rest.js/ */
export interface Octokit {
    readonly paginate: <Arguments, Item>(
        call: Call<Arguments, readonly Item[]>,
        args: Repository & Arguments,
    ) => Promise<readonly Item[]>;
    readonly rest: {
        readonly issues: {
            readonly listComments: Call<{ issue_number: number }, readonly Comment[]>;
            readonly createComment: Call<{ issue_number: number; body: string }>;
            readonly updateComment: Call<{ comment_id: number; body: string }>;
            readonly listForRepo: Call<{ labels: string; state: "open" }, readonly Issue[]>;
            readonly create: Call<{ title: string; body: string; labels: readonly string[] }>;
            readonly update: Call<{ issue_number: number; body?: string; state?: "closed" }>;
        };
        readonly pulls: {
            readonly list: Call<{ head: string; state: "open" }, readonly Numbered[]>;
            readonly create: Call<{ title: string; body: string; head: string; base: string }>;
        };
        readonly git: {
            readonly deleteRef: Call<{ ref: string }>;
            readonly createRef: Call<{ ref: string; sha: string }>;
        };
        readonly repos: {
            readonly getContent: Call<
                { path: string; ref: string },
                { readonly content: string; readonly sha: string }
            >;
            readonly createOrUpdateFileContents: Call<{
                path: string;
                branch: string;
                message: string;
                content: string;
                sha: string;
            }>;
        };
    };
}

export function runLink({ context }: Script): string {
    const { owner, repo } = context.repo;
    return `[run](${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId})`;
}

/** GitHub accepts 65,536 characters in a comment. */
export const MAX_CHARACTERS = 60_000;

/** Wraps text in a code fence that its content cannot close; long text is truncated to its first lines. */
export function toCodeBlock(text: string, maxCharacters: number, language = ""): string {
    const kept =
        text.length > maxCharacters ? `${firstLines(text, maxCharacters)}\n${TRUNCATED}` : text;
    const runs = kept.match(/`{3,}/g) ?? [];
    const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
    return `${fence}${language}\n${kept.trimEnd()}\n${fence}`;
}

const TRUNCATED = "… and more, in the run's log";

/** Complete lines that fit. */
function firstLines(text: string, maxCharacters: number): string {
    const end = text.lastIndexOf("\n", maxCharacters - TRUNCATED.length);
    return text.slice(0, end < 0 ? maxCharacters - TRUNCATED.length : end);
}
