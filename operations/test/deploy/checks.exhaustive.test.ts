import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { PROGRAM_FOLDER } from "../../stack/program.ts";

const OPERATIONS = "operations/cli/main.ts";

/** A kubeconfig of an unreachable cluster, which fails a check that comes too late. */
const NO_CLUSTER = `apiVersion: v1
kind: Config
clusters: [{ name: none, cluster: { server: "https://127.0.0.1:9" } }]
contexts: [{ name: none, context: { cluster: none, user: none } }]
users: [{ name: none, user: { token: none } }]
current-context: none
`;

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const folder = makeTemporaryFolder();
    const kubeconfig = path.join(folder, "kubeconfig");
    writeFileSync(kubeconfig, NO_CLUSTER);
    const { status, stderr } = spawnSync(process.execPath, args, {
        cwd: PROGRAM_FOLDER,
        encoding: "utf8",
        input: "",
        timeout: 120_000,
        // Without Pulumi, wherever it is.
        env: { HOME: folder, PATH: folder, KUBECONFIG: kubeconfig, ...env },
    });
    return { status, stderr };
}

test.each<[string, RegExp, readonly string[], Record<string, string>?]>([
    [
        "a mistyped secret",
        /SECRET is "admin.tokem"; .*did you mean admin\.token\?/,
        [OPERATIONS, "rotate", "--stack", "dev", "--secret", "admin.tokem"],
    ],
    ["no secret", /SECRET is not set/, [OPERATIONS, "rotate", "--stack", "dev", "--secret", ""]],
    [
        "no new value of an issuer's",
        /prometheus\.token has no new value/,
        [OPERATIONS, "rotate", "--stack", "dev", "--secret", "prometheus.token"],
    ],
    [
        "an end of what has none",
        /FINISH is set/,
        [OPERATIONS, "rotate", "--stack", "dev", "--secret", "admin.token", "--finish"],
    ],
    ["no file for a backup", /OUT is not set/, [OPERATIONS, "backup", "--file", ""]],
    [
        "a folder that is not there",
        /OUT is "\/nowhere\/a\.gz"/,
        [OPERATIONS, "backup", "--file", "/nowhere/a.gz"],
    ],
    [
        "a backup that is not there",
        /IN is "nofile\.gz"/,
        [OPERATIONS, "restore", "--file", "nofile.gz"],
    ],
    [
        "what is no backup",
        /package\.json.*incorrect header/,
        [OPERATIONS, "restore", "--file", "package.json"],
    ],
    [
        "a report that cannot be kept",
        /REPORT is "\/nowhere\/r"/,
        [OPERATIONS, "preview", "--stack", "dev", "--report", "/nowhere/r"],
    ],
    [
        "a preview without Pulumi",
        /a preview needs Pulumi/,
        [OPERATIONS, "preview", "--stack", "dev"],
    ],
    [
        "Pulumi's environment without it",
        /make pulumi-env needs Pulumi/,
        [OPERATIONS, "environment", "--stack", "dev"],
    ],
    [
        "secrets of Pulumi's without it",
        /make secrets needs Pulumi/,
        [OPERATIONS, "secrets", "--stack", "dev"],
    ],
    [
        "volumes that may stay or go",
        /DATA is "dlete"; allowed: delete/,
        [OPERATIONS, "remove", "--stack", "dev", "--data", "dlete"],
    ],
    [
        "no tenant",
        /TENANT is not set; allowed: lower-case/,
        [OPERATIONS, "tenant-key", "--tenant", ""],
    ],
    ["an admin command that is none", /CMD is "state"/, [OPERATIONS, "admin"], { CMD: "state" }],
    [
        "an upload that is not there",
        /IN is "nofile"/,
        [OPERATIONS, "admin"],
        { CMD: "POST /imports", IN: "nofile" },
    ],
    [
        "a moving image",
        /IMAGE is "foo:latest"/,
        [OPERATIONS, "deploy", "--stack", "dev", "--image", "foo:latest", "--version", "v1"],
    ],
    [
        "a label that is none",
        /VERSION is "a b"/,
        [OPERATIONS, "deploy", "--stack", "dev", "--image", "foo:v1.0.0", "--version", "a b"],
    ],
    [
        "an image without a version",
        /VERSION is not set; .* IMAGE is set/,
        [OPERATIONS, "deploy", "--stack", "dev", "--image", "foo:v1.0.0"],
    ],
    [
        "a way that there is not",
        /DEPLOY is "helm"/,
        [OPERATIONS, "deploy", "--stack", "dev"],
        { DEPLOY: "helm" },
    ],
    [
        "a plan that is none",
        /--min-step-seconds is "x"/,
        [OPERATIONS, "deploy", "--stack", "dev", "--min-step-seconds", "x"],
    ],
    ["no stack", /STACK is not set; allowed: dev, local, prod/, [OPERATIONS, "deploy"]],
    ["no colour", /TO is not set; allowed: blue, green/, [OPERATIONS, "switch", "--to", ""]],
    [
        "a name that is a path",
        /STACK is "\.\.\/x"; allowed: dev, local, prod\n$/,
        ["render.ts", "--stack", "../x"],
    ],
    [
        "a file of config that is not there",
        /nofile does not exist \(ENOENT\)/,
        ["render.ts", "--stack", "dev", "--config", "nofile"],
    ],
    [
        "manifests that are not there",
        /nofile\.yaml does not exist \(ENOENT\)/,
        ["policies/main.ts", "check", "nofile.yaml"],
    ],
])("before a cluster is contacted, %s is rejected in one sentence", (_, says, args, env = {}) => {
    const { status, stderr } = run(args, env);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^Error: [^\n]*\n$/);
    expect([1, 2]).toContain(status);
});

test.each([
    "render.ts",
    OPERATIONS,
    "local/src/main.ts",
    "policies/main.ts",
    "bench/service/main.ts",
])("%s refuses a mistyped flag in a sentence", (program) => {
    const { status, stderr } = run([program, "--hepl"]);
    expect(stderr).toBe("error: unknown option '--hepl'\n(Did you mean --help?)\n");
    expect([1, 2]).toContain(status);
});

test("an unreachable server is reported in one sentence", () => {
    const { stderr } = run([OPERATIONS, "verify", "--stack", "dev"]);
    expect(stderr).toMatch(
        /^Error: no connection to the cluster: bad port; check KUBECONFIG and CONTEXT\n$/,
    );
});
