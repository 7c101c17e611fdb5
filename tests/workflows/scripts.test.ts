import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { comment } from "../../.github/scripts/comment.ts";
import { updateDriftIssue } from "../../.github/scripts/drift.ts";
import type { Context, Octokit } from "../../.github/scripts/github.ts";
import { proposeConfigChange, requireMerged } from "../../.github/scripts/stackConfig.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

const context: Context = {
    repo: { owner: "us", repo: "search" },
    serverUrl: "https://github.com",
    runId: 7,
    sha: "0123456789abcdef",
    payload: { pull_request: { number: 12, head: { sha: "fedcba9876543210" } } },
};
const RUN = "[run](https://github.com/us/search/actions/runs/7)";

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

const write = (name: string, text: string) => writeFile(path.join(folder, name), text);

/** A GitHub API with given responses, which fails on every other call. */
function gitHub(answers: Readonly<Record<string, unknown>>) {
    const calls: [name: string, args: Readonly<Record<string, unknown>>][] = [];
    const call = (name: string) => (args: Readonly<Record<string, unknown>>) => {
        if (!(name in answers)) throw new Error(`${name} is not expected`);
        const { owner, repo, ...rest } = args;
        expect({ owner, repo }).toEqual(context.repo);
        calls.push([name, rest]);
        const answer = answers[name];
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ data: answer });
    };
    const group = (of: string) =>
        new Proxy({}, { get: (_, name) => call(`${of}.${String(name)}`) });
    const github = {
        rest: new Proxy({}, { get: (_, of) => group(String(of)) }),
        paginate: async (
            list: (args: object) => Promise<{ data: readonly unknown[] }>,
            args: object,
        ) => (await list(args)).data,
    } as unknown as Octokit;
    const writes = () => calls.filter(([name]) => !/\.(list|get)/.test(name));
    return { script: { github, context }, calls, writes };
}

describe("the comment on a pull request", () => {
    const bot = { type: "Bot" };
    const bodyOf = async (comments: readonly unknown[] = []) => {
        const one = gitHub({
            "issues.listComments": comments,
            "issues.createComment": {},
            "issues.updateComment": {},
        });
        await comment(one.script, folder);
        const [written] = one.writes();
        if (!written) throw new Error("nothing was written");
        return { name: written[0], args: written[1], body: String(written[1].body) };
    };

    test("has what policies say and what would change, of each stack", async () => {
        await write("policies-prod.md", "### ✅ Policies of stack prod\n");
        await write("policies-dev.md", "### ❌ Policies of stack dev\n\n- **replicas** one\n");
        const report =
            "Stack dev: 1 to create, 2 unchanged\n\nChanges by component:\n  edge: <1>\n";
        await write("preview-dev.txt", report);
        await write("other.txt", "not a report");
        const { name, args, body } = await bodyOf();
        expect([name, args.issue_number]).toEqual(["issues.createComment", 12]);
        expect(body).toBe(`<!-- pull request report -->
### ❌ Policies of stack dev

- **replicas** one

### ✅ Policies of stack prod

<details>
<summary>Preview of stack dev: 1 to create, 2 unchanged</summary>

\`\`\`diff
Stack dev: 1 to create, 2 unchanged

Changes by component:
  edge: <1>
\`\`\`

</details>


<sub>Commit fedcba9, ${RUN}</sub>`);
    });

    test("is updated in place, and comments of people stay", async () => {
        const { name, args, body } = await bodyOf([
            { id: 1, user: bot, body: "of another bot" },
            { id: 2, user: { type: "User" }, body: "<!-- pull request report -->" },
            { id: 3, user: bot, body: "<!-- pull request report -->\nold" },
        ]);
        expect([name, args.comment_id]).toEqual(["issues.updateComment", 3]);
        expect(body).toContain("No report was completed");
    });

    test("fits, with the headline of a long preview and the first of many violations", async () => {
        const violation = `- **rule** ${"x".repeat(90)}\n  \`\`\`yaml\n  fix: it\n  \`\`\`\n`;
        await write("policies-dev.md", `### ❌ Policies\n\n${violation.repeat(1000)}`);
        await write("preview-dev.txt", `Stack dev: <b>\n${"+ line\n".repeat(20_000)}`);
        const { body } = await bodyOf();
        expect(body.length).toBeLessThan(65_536);
        expect(body).toContain("<summary>Preview of stack dev: &#60;b&#62;</summary>");
        expect(body).toContain("```diff\nStack dev: <b>\n+ line\n");
        expect(body).toContain("+ line\n… and more, in the run's log\n```\n");
        expect(body).toContain("… and more, in the run's log");
        expect((body.match(/```/g) ?? []).length % 2).toBe(0);
    });

    test("fits, with a report that is one long violation", async () => {
        await write("policies-dev.md", "x".repeat(100_000));
        const { body } = await bodyOf();
        expect(body.length).toBeLessThan(65_536);
        expect(body).toContain("… and more, in the run's log");
    });

    test("cannot be closed by the content of a preview", async () => {
        await write("preview-dev.txt", "before\n```\n</details> **bold**\n````\n");
        expect((await bodyOf()).body).toContain("\n`````diff\nbefore\n```\n");
    });
});

describe("the issue of a drifted stack", () => {
    const open = { number: 5, title: "Stack prod has drifted" };
    const updateIssue = async (issues: readonly unknown[], hasDrifted: boolean) => {
        const one = gitHub({
            "issues.listForRepo": issues,
            "issues.create": {},
            "issues.update": {},
            "issues.createComment": {},
        });
        const report = path.join(folder, "drift.txt");
        await updateDriftIssue(one.script, { stack: "prod", report, hasDrifted });
        return one.writes();
    };

    test("is opened with the changes", async () => {
        await write("drift.txt", "~ replicas: 3 => 2\n");
        expect(await updateIssue([{ number: 4, title: "Stack dev has drifted" }], true)).toEqual([
            [
                "issues.create",
                {
                    title: "Stack prod has drifted",
                    labels: ["drift"],
                    body: expect.stringContaining("```diff\n~ replicas: 3 => 2\n```\n"),
                },
            ],
        ]);
    });

    test("is kept up to date while it is open", async () => {
        expect(await updateIssue([open], true)).toEqual([
            ["issues.update", { issue_number: 5, body: expect.stringContaining(RUN) }],
        ]);
    });

    test("is closed when the drift is resolved", async () => {
        expect(await updateIssue([open], false)).toEqual([
            ["issues.createComment", { issue_number: 5, body: `The drift is resolved: ${RUN}` }],
            ["issues.update", { issue_number: 5, state: "closed" }],
        ]);
    });

    test("is not created without drift", async () => {
        expect(await updateIssue([], false)).toEqual([]);
    });
});

describe("config changes of a deploy", () => {
    const before = process.cwd();

    beforeEach(() => process.chdir(folder));
    afterEach(() => process.chdir(before));

    const content = (text: string) => ({
        content: Buffer.from(text).toString("base64"),
        sha: "b10b",
    });
    const answers = (text: string) => ({
        "repos.getContent": content(text),
        "git.deleteRef": new Error("there is none"),
        "git.createRef": {},
        "repos.createOrUpdateFileContents": {},
        "pulls.create": {},
    });

    test("are proposed to main as a pull request", async () => {
        await write("Pulumi.prod.yaml", "weights: new\n");
        const one = gitHub(answers("weights: old\n"));
        await proposeConfigChange(one.script, "prod");
        expect(one.writes()).toEqual([
            ["git.deleteRef", { ref: "heads/stack-config/prod" }],
            ["git.createRef", { ref: "refs/heads/stack-config/prod", sha: context.sha }],
            [
                "repos.createOrUpdateFileContents",
                expect.objectContaining({
                    path: "Pulumi.prod.yaml",
                    branch: "stack-config/prod",
                    content: content("weights: new\n").content,
                    sha: "b10b",
                }),
            ],
            ["pulls.create", expect.objectContaining({ head: "stack-config/prod", base: "main" })],
        ]);
    });

    test("are not proposed if the file is unchanged", async () => {
        await write("Pulumi.prod.yaml", "weights: old\n");
        const one = gitHub(answers("weights: old\n"));
        await proposeConfigChange(one.script, "prod");
        expect(one.writes()).toEqual([]);
    });

    test("must be merged before the next deploy of the stack", async () => {
        const github = gitHub({ "pulls.list": [{ number: 9 }] });
        await expect(requireMerged(github.script, "prod")).rejects.toThrow(
            "#9 holds the changes of the last deploy to Pulumi.prod.yaml: merge it, then deploy again",
        );
        expect(github.calls).toEqual([
            ["pulls.list", { head: "us:stack-config/prod", state: "open" }],
        ]);
        await requireMerged(gitHub({ "pulls.list": [] }).script, "prod");
    });
});
