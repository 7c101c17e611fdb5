import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { comment } from "../../.github/scripts/comment.ts";
import { tellDrift } from "../../.github/scripts/drift.ts";
import type { Context, Octokit } from "../../.github/scripts/github.ts";
import { propose, refuseUnmerged } from "../../.github/scripts/stackConfig.ts";

const context: Context = {
    repo: { owner: "us", repo: "search" },
    serverUrl: "https://github.com",
    runId: 7,
    sha: "0123456789abcdef",
    payload: { pull_request: { number: 12, head: { sha: "fedcba9876543210" } } },
};
const RUN = "[run](https://github.com/us/search/actions/runs/7)";

let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "reports-"));
});

afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(path.join(folder, name), text);

/** GitHub that answers as it is told, and fails by every other call. */
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
    const wrote = () => calls.filter(([name]) => !/\.(list|get)/.test(name));
    return { script: { github, context }, calls, wrote };
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
        const [written] = one.wrote();
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
        expect(body).toBe(`<!-- what this pull request would do -->
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


<sub>Of fedcba9, ${RUN}</sub>`);
    });

    test("is written anew in its place, and no person's is touched", async () => {
        const { name, args, body } = await bodyOf([
            { id: 1, user: bot, body: "of another bot" },
            { id: 2, user: { type: "User" }, body: "<!-- what this pull request would do -->" },
            { id: 3, user: bot, body: "<!-- what this pull request would do -->\nold" },
        ]);
        expect([name, args.comment_id]).toEqual(["issues.updateComment", 3]);
        expect(body).toContain("No report came to its end");
    });

    test("fits, with the verdict of a long preview and the beginning of many findings", async () => {
        const finding = `- **rule** ${"x".repeat(90)}\n  \`\`\`yaml\n  fix: it\n  \`\`\`\n`;
        await write("policies-dev.md", `### ❌ Policies\n\n${finding.repeat(1000)}`);
        await write("preview-dev.txt", `Stack dev: <b>\n${"+ line\n".repeat(20_000)}`);
        const { body } = await bodyOf();
        expect(body.length).toBeLessThan(65_536);
        expect(body).toContain("<summary>Preview of stack dev: &#60;b&#62;</summary>");
        expect(body).toContain("```diff\nStack dev: <b>\n+ line\n");
        expect(body).toContain("+ line\n… and more, in the run's log\n```\n");
        expect(body).toContain("… and more, in the run's log");
        expect((body.match(/```/g) ?? []).length % 2).toBe(0);
    });

    test("fits, with a report that is one long finding", async () => {
        await write("policies-dev.md", "x".repeat(100_000));
        const { body } = await bodyOf();
        expect(body.length).toBeLessThan(65_536);
        expect(body).toContain("… and more, in the run's log");
    });

    test("is not broken out of by what is previewed", async () => {
        await write("preview-dev.txt", "before\n```\n</details> **bold**\n````\n");
        expect((await bodyOf()).body).toContain("\n`````diff\nbefore\n```\n");
    });
});

describe("the issue of a stack that drifts", () => {
    const open = { number: 5, title: "Stack prod has drifted" };
    const told = async (issues: readonly unknown[], drifted: boolean) => {
        const one = gitHub({
            "issues.listForRepo": issues,
            "issues.create": {},
            "issues.update": {},
            "issues.createComment": {},
        });
        const report = path.join(folder, "drift.txt");
        await tellDrift(one.script, { stack: "prod", report, drifted });
        return one.wrote();
    };

    test("is opened with what has changed", async () => {
        await write("drift.txt", "~ replicas: 3 => 2\n");
        expect(await told([{ number: 4, title: "Stack dev has drifted" }], true)).toEqual([
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
        expect(await told([open], true)).toEqual([
            ["issues.update", { issue_number: 5, body: expect.stringContaining(RUN) }],
        ]);
    });

    test("is closed when it is over", async () => {
        expect(await told([open], false)).toEqual([
            ["issues.createComment", { issue_number: 5, body: `No longer: ${RUN}` }],
            ["issues.update", { issue_number: 5, state: "closed" }],
        ]);
    });

    test("is not there when there was none", async () => {
        expect(await told([], false)).toEqual([]);
    });
});

describe("what a deploy writes into the stack's config", () => {
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

    test("goes back to main as a pull request", async () => {
        await write("Pulumi.prod.yaml", "weights: new\n");
        const one = gitHub(answers("weights: old\n"));
        await propose(one.script, "prod");
        expect(one.wrote()).toEqual([
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

    test("is nothing to propose when it has not changed", async () => {
        await write("Pulumi.prod.yaml", "weights: old\n");
        const one = gitHub(answers("weights: old\n"));
        await propose(one.script, "prod");
        expect(one.wrote()).toEqual([]);
    });

    test("has to be merged before the next deploy of the stack", async () => {
        const proposed = gitHub({ "pulls.list": [{ number: 9 }] });
        await expect(refuseUnmerged(proposed.script, "prod")).rejects.toThrow(
            "#9 has what the last deploy wrote into Pulumi.prod.yaml: merge it first, then deploy",
        );
        expect(proposed.calls).toEqual([
            ["pulls.list", { head: "us:stack-config/prod", state: "open" }],
        ]);
        await refuseUnmerged(gitHub({ "pulls.list": [] }).script, "prod");
    });
});
