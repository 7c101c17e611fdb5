import type { DocCommand } from "./commands.ts";

const HERE = "tests/repository/commands.integration.test.ts";
const EXHAUSTIVE = "tests/repository/commandLines.exhaustive.test.ts";
const ON_CLUSTER = "tests/cluster/docs.test.ts";

/** Tests that run what commands of the pages run: the first row that matches. */
const RUN_BY: readonly (readonly [pattern: RegExp, test: string])[] = [
    [/^make (help|capacity)\b/, HERE],
    [/^make tenant-key\b/, EXHAUSTIVE],
    [/^make (render|policies)( STACK=(prod|<stack>)| TIMES=1)*$/, EXHAUSTIVE],
    [/^make admin/, EXHAUSTIVE],
    [/^curl .*(\$A|\$URL|HOST|localhost:(8001|3000))/, HERE],
    [/^node .*--help$/, EXHAUSTIVE],
    [/^node -e /, HERE],
    [/^make (audit|sbom|licences)\b/, "tests/workflows/sbom.integration.test.ts"],
    [/^(base64|jq|openssl) /, HERE],
    [/^(make (status|verify|impact)(?!-)|kubectl (get|describe|logs|top|exec))\b/, ON_CLUSTER],
    [
        /^make (render|policies) STACK=(eks|search)/,
        "tests/stacks/completeExample.integration.test.ts",
    ],
    [/^make (up|down)\b/, "tests/lifecycle/lifecycle.test.ts"],
    [/^make rehearse\b/, "tests/cluster/rehearsals.test.ts"],
    [/^make example$/, "examples/property-search/test/process.integration.test.ts"],
    [/^make training\b/, "tests/cluster/training.test.ts"],
    [/^(kubectl (scale|annotate|wait)|sleep)\b/, "tests/cluster-slow/training.test.ts"],
    [/^make load\b/, "bench/test/load/main.integration.test.ts"],
    [/^make accept\b/, "bench/test/accept/replay.exhaustive.test.ts"],
    [/^make deploy\b/, "tests/cluster/newVersion.test.ts"],
    [/^make switch\b/, "tests/cluster/switch.test.ts"],
    [/^make rollback\b/, "tests/cluster/switch.test.ts"],
    [
        /^make (preview|drift|undeploy)\b/,
        "operations/test/deploy/pulumi/pulumiCommands.exhaustive.test.ts",
    ],
    [/^make secrets\b/, "operations/test/deploy/pulumi/pulumiCommands.exhaustive.test.ts"],
    [/^make rotate\b/, "operations/test/rotate/rotate.test.ts"],
    [/^make (backup|restore)\b/, "operations/test/backup/backup.exhaustive.test.ts"],
    [/^make image\b/, "app/test/publish.integration.test.ts"],
    [/^make experiment\b/, "operations/test/experiments/report.integration.test.ts"],
    [/^make optimize\b/, "insights/test/main.integration.test.ts"],
    [
        /^node insights\/src\/main.ts (serve|tune|analyse)/,
        "insights/test/commands.integration.test.ts",
    ],
    [/^node operations\/cli\/main.ts/, "operations/test/cli/commands.test.ts"],
    [/^node policies\/main.ts check/, "policies/test/cli.exhaustive.test.ts"],
    [/^make bench-policies/, "bench/test/policies/comparison.integration.test.ts"],
    [/^kubectl create job .*insights-daily/, "tests/cluster/insights.test.ts"],
    [/^(pulumi|make pulumi-env) /, "tests/repository/pulumi.exhaustive.test.ts"],
    [/^node examples\/clients\/openai-node.ts/, "app/test/clients.integration.test.ts"],
];

/** Commands that no test runs, each with its reason. */
const NOT_RUN: readonly (readonly [pattern: RegExp, reason: string])[] = [
    [
        /^(npm|make) (test|run|install|lint|hooks|test-[a-z]+|python-clients)\b/,
        "the gate is run by it; its files are checked",
    ],
    [
        /^make (bench|bench-semantic|dev)\b/,
        "a benchmark or a server that does not end; its flags are checked",
    ],
    [/^node (--expose-gc )?bench\//, "takes minutes to hours; its flags are checked"],
    [
        /^kubectl (set|delete|rollout)\b/,
        "it disturbs what other tests use; its objects are checked",
    ],
    [/^(gcloud|eksctl|az|helm) /, "it creates what costs money, or installs from the internet"],
    [
        /^docker (build|push|info)/,
        "local/ builds the same files by buildah, and publish.sh by docker",
    ],
    [/^kubectl config /, "it reads the user's kubeconfig"],
    [/^make scan/, "its database is on the internet"],
    [/^git clone/, "the clone is what runs the test"],
    [
        /^kubectl (-n \S+ )?port-forward|^curl -s http:\/\/127.0.0.1:8080\/received/,
        "does not end; the tests forward by the same API",
    ],
];

export type Run = { readonly test: string } | { readonly reason: string } | undefined;

/** @returns what runs a command, or why nothing does; undefined: nobody has said so */
export function runOf({ text }: Pick<DocCommand, "text">): Run {
    for (const [pattern, test] of RUN_BY) if (pattern.test(text)) return { test };
    for (const [pattern, reason] of NOT_RUN) if (pattern.test(text)) return { reason };
    return undefined;
}

export const TESTS_OF_COMMANDS: readonly string[] = [...new Set(RUN_BY.map(([, test]) => test))];

/** Every row must still match a command, or it is out of date. */
export const PATTERNS: readonly RegExp[] = [...RUN_BY, ...NOT_RUN].map(([pattern]) => pattern);
