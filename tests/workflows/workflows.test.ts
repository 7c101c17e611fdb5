import { describe, expect, test } from "@jest/globals";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const ROOT = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const WORKFLOWS = readdirSync(path.join(ROOT, ".github/workflows")).map(
    (name) => `.github/workflows/${name}`,
);
const ACTIONS = readdirSync(path.join(ROOT, ".github/actions")).map(
    (name) => `.github/actions/${name}/action.yml`,
);

interface Step {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, string | number | boolean>>;
}

interface Job {
    readonly if?: string;
    readonly permissions?: Readonly<Record<string, string>>;
    readonly "timeout-minutes"?: number;
    readonly steps: readonly Step[];
}

interface Workflow {
    readonly on: Readonly<Record<string, unknown>>;
    readonly permissions?: unknown;
    readonly concurrency?: { readonly group: string };
    readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = (file: string) => parse(read(file)) as Workflow;
const jobsOf = (file: string) => Object.entries(workflow(file).jobs);
const stepsOf = (file: string): readonly Step[] =>
    file.endsWith("action.yml")
        ? (parse(read(file)) as { runs: { steps: Step[] } }).runs.steps
        : jobsOf(file).flatMap(([, { steps }]) => steps);
const usesOf = (file: string) => stepsOf(file).flatMap(({ uses }) => uses ?? []);
const inputOf = (action: string, name: string) =>
    [...WORKFLOWS, ...ACTIONS]
        .flatMap(stepsOf)
        .filter(({ uses }) => uses?.startsWith(`${action}@`))
        .map((step) => step.with?.[name]);

describe.each(WORKFLOWS)("%s", (file) => {
    test("may read the code, and each job has its own permissions", () => {
        expect(workflow(file).permissions).toEqual({ contents: "read" });
        for (const [name, { permissions }] of jobsOf(file)) {
            if (!permissions) continue;
            // What a job names takes the place of all above it.
            expect([name, permissions]).toEqual([
                name,
                expect.objectContaining({ contents: expect.stringMatching(/read|write/) }),
            ]);
        }
    });

    test("runs once at a time, and each job has a timeout", () => {
        expect(workflow(file).concurrency?.group).toMatch(/^[a-z]/);
        for (const [name, job] of jobsOf(file)) {
            expect([name, job["timeout-minutes"]]).toEqual([name, expect.any(Number)]);
        }
    });

    test("gives no credentials to pull requests from forks", () => {
        expect(workflow(file).on).not.toHaveProperty("pull_request_target");
        if (!("pull_request" in workflow(file).on)) return;
        for (const [name, job] of jobsOf(file)) {
            const writes = Object.values(job.permissions ?? {}).includes("write");
            if (!writes) continue;
            expect([name, job.if]).toEqual([
                name,
                expect.stringContaining(
                    "github.event.pull_request.head.repo.full_name == github.repository",
                ),
            ]);
        }
    });
});

describe.each([...WORKFLOWS, ...ACTIONS])("%s", (file) => {
    test("pins third-party actions by commit and names their version", () => {
        for (const uses of usesOf(file)) {
            if (uses.startsWith("./")) {
                expect(existsSync(path.join(ROOT, uses, "action.yml"))).toBe(true);
                continue;
            }
            expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
            expect(read(file)).toMatch(new RegExp(`uses: ${uses} # v\\d+\\.\\d+\\.\\d+\\n`));
        }
    });

    test("runs make targets only", () => {
        const targets = new Set(read("Makefile").match(/(?<=^\.PHONY: ).+$/gm));
        for (const { run } of stepsOf(file)) {
            if (run === undefined) continue;
            const [, target = ""] =
                /^make ([a-z-]+)( [A-Z]+=\S+)*$/.exec(run.replaceAll(/\$\{\{.*?\}\}/g, "some")) ??
                [];
            expect([run, targets.has(target)]).toEqual([run, true]);
        }
    });

    test("uses no secret, so no static cloud key", () => {
        expect(read(file)).not.toMatch(/\bsecrets\b/);
        expect(read(file)).not.toMatch(/ACCESS_KEY|SECRET_KEY|CREDENTIALS|PASSWORD|_TOKEN\b/);
    });

    test("keeps no credentials in the checkout", () => {
        for (const step of stepsOf(file)) {
            if (!step.uses?.startsWith("actions/checkout@")) continue;
            expect(step.with).toMatchObject({ "persist-credentials": false });
        }
    });

    test("calls scripts that exist", () => {
        for (const step of stepsOf(file)) {
            const script = step.with?.script;
            if (script === undefined) continue;
            const call = /const \{ (\w+) \} = await import\(`.*\/(\.github\/scripts\/\w+\.ts)`\)/;
            const [, name = "", module = ""] = call.exec(String(script)) ?? [];
            expect(read(module)).toContain(`export async function ${name}(`);
        }
    });
});

test("an action has the same commit wherever it is used", () => {
    const commits = new Map<string, Set<string>>();
    for (const uses of [...WORKFLOWS, ...ACTIONS].flatMap(usesOf)) {
        const [name = "", commit = ""] = uses.split("@");
        commits.set(name, (commits.get(name) ?? new Set()).add(commit));
    }
    expect([...commits].filter(([, { size }]) => size > 1)).toEqual([]);
});

test("Node has the version of .node-version, and the CLI that of the SDK", () => {
    expect(inputOf("actions/setup-node", "node-version-file")).toEqual([".node-version"]);
    const { dependencies } = JSON.parse(read("package.json")) as {
        dependencies: Readonly<Record<string, string>>;
    };
    expect(inputOf("pulumi/esc-action", "version")).toEqual([dependencies["@pulumi/pulumi"]]);
});

test("every shared stack is previewed and checked for drift, and every stack is checked by policies", () => {
    const stacks = readdirSync(path.join(ROOT))
        .flatMap((name) => /^Pulumi\.(\w+)\.yaml$/.exec(name)?.[1] ?? [])
        .sort();
    const matrix = (file: string, job: string) =>
        (workflow(file).jobs[job] as unknown as { strategy: { matrix: { stack: string[] } } })
            .strategy.matrix.stack;
    const pr = ".github/workflows/pr.yml";
    expect(matrix(pr, "policies").toSorted()).toEqual(stacks);
    const shared = stacks.filter((stack) => stack !== "local");
    expect(matrix(pr, "preview").toSorted()).toEqual(shared);
    expect(matrix(".github/workflows/drift.yml", "drift").toSorted()).toEqual(shared);
});
