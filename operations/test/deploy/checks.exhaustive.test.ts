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
        timeout: 600_000,
        // Without Pulumi, wherever it is.
        env: { HOME: folder, PATH: folder, KUBECONFIG: kubeconfig, ...env },
    });
    return { status, stderr };
}

/** Words of a command line, in which quotes keep blanks and empty words. */
function wordsOf(command: string): string[] {
    const words = command.match(/'[^']*'|\S+/g) ?? [];
    return words.map((word) => (word === "operations" ? OPERATIONS : word.replaceAll("'", "")));
}

test.each<[command: string, says: RegExp, env?: Record<string, string>]>([
    [
        "operations rotate --stack dev --secret admin.tokem",
        /SECRET is "admin.tokem"; .*did you mean admin\.token\?/,
    ],
    ["operations rotate --stack dev --secret ''", /SECRET is not set/],
    [
        "operations rotate --stack dev --secret prometheus.token",
        /prometheus\.token has no new value/,
    ],
    ["operations rotate --stack dev --secret admin.token --finish", /FINISH is set/],
    ["operations backup --file ''", /OUT is not set/],
    ["operations backup --file /nowhere/a.gz", /OUT is "\/nowhere\/a\.gz"/],
    ["operations restore --file nofile.gz", /IN is "nofile\.gz"/],
    ["operations restore --file package.json", /package\.json.*incorrect header/],
    ["operations preview --stack dev --report /nowhere/r", /REPORT is "\/nowhere\/r"/],
    ["operations preview --stack dev", /a preview needs Pulumi/],
    ["operations environment --stack dev", /make pulumi-env needs Pulumi/],
    ["operations secrets --stack dev", /make secrets needs Pulumi/],
    ["operations remove --stack dev --data dlete", /DATA is "dlete"; allowed: delete/],
    ["operations tenant-key --tenant ''", /TENANT is not set; allowed: lower-case/],
    ["operations admin", /CMD is "state"/, { CMD: "state" }],
    ["operations admin", /IN is "nofile"/, { CMD: "POST /imports", IN: "nofile" }],
    ["operations deploy --stack dev --image foo:latest --version v1", /IMAGE is "foo:latest"/],
    ["operations deploy --stack dev --image foo:v1.0.0 --version 'a b'", /VERSION is "a b"/],
    ["operations deploy --stack dev --image foo:v1.0.0", /VERSION is not set; .* IMAGE is set/],
    ["operations deploy --stack dev", /DEPLOY is "helm"/, { DEPLOY: "helm" }],
    ["operations deploy --stack dev --min-step-seconds x", /--min-step-seconds is "x"/],
    ["operations deploy", /STACK is not set; allowed: dev, local, prod/],
    ["operations switch --to ''", /TO is not set; allowed: blue, green/],
    ["render.ts --stack ../x", /STACK is "\.\.\/x"; allowed: dev, local, prod\n$/],
    ["render.ts --stack dev --config nofile", /nofile does not exist \(ENOENT\)/],
    ["policies/main.ts check nofile.yaml", /nofile\.yaml does not exist \(ENOENT\)/],
])("before a cluster is contacted, %s is rejected in one sentence", (command, says, env = {}) => {
    const { status, stderr } = run(wordsOf(command), env);
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
