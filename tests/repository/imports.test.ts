import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

const folder = makeTemporaryFolder();

/** Each broken rule and the file that breaks it, in a repository of these files, `from` importing `to`. */
function broken(name: string, imports: readonly (readonly [from: string, to: string])[]) {
    const repository = path.join(folder, name);
    const write = (file: string, text: string) => {
        mkdirSync(path.dirname(path.join(repository, file)), { recursive: true });
        writeFileSync(path.join(repository, file), text, { flag: "a" });
    };
    for (const [from, to] of imports) {
        const target = path.relative(path.dirname(from), to);
        const specifier = target.startsWith(".") ? target : `./${target}`;
        write(from, `import type {} from "${specifier}";\n`);
        write(to, "");
    }
    write("tsconfig.json", "{}");
    // TypeScript's parser is the one of this repository.
    symlinkSync(path.join(ROOT, "node_modules"), path.join(repository, "node_modules"));
    const { stdout, stderr } = spawnSync(
        process.execPath,
        [
            path.join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
            ...[
                "--config",
                path.join(ROOT, ".dependency-cruiser.js"),
                "--output-type",
                "json",
                ".",
            ],
        ],
        { cwd: repository, encoding: "utf8", env: { PATH: process.env.PATH } },
    );
    if (stdout === "") throw new Error(stderr);
    const { summary } = JSON.parse(stdout) as {
        summary: { violations: { from: string; rule: { name: string } }[] };
    };
    return summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`).sort();
}

test("imports in the declared direction, and of anything by tests, are accepted", () => {
    const accepted = broken("accepted", [
        ["render/program.ts", "index.ts"],
        ["index.ts", "config.ts"],
        ["config.ts", "config/redis.ts"],
        ["config/redis.ts", "components/redis.ts"],
        ["config/boundCluster.ts", "operations/cluster/connect.ts"],
        ["components/admission.ts", "policies/admission/index.ts"],
        ["policies/admission/index.ts", "contract/src/index.ts"],
        ["local/src/main.ts", "operations/deploy/deploy.ts"],
        ["operations/cli/main.ts", "operations/deploy/deploy.ts"],
        ["app/src/server.ts", "contract/src/index.ts"],
        ["insights/src/main.ts", "contract/src/index.ts"],
        ["app/test/server.test.ts", "tests/support/property.ts"],
        ["tests/stacks/config.test.ts", "render.ts"],
        ["components/edge.test.ts", "local/src/main.ts"],
    ]);
    expect(accepted).toEqual([]);
});

test("imports against it, of tests and in circles are refused", () => {
    const refused = broken("refused", [
        ["contract/src/names.ts", "app/src/server.ts"],
        ["app/src/server.ts", "policies/core/rule.ts"],
        ["policies/core/rule.ts", "components/redis.ts"],
        ["components/redis.ts", "config/redis.ts"],
        ["config/redis.ts", "operations/stack/stacks.ts"],
        ["operations/stack/stacks.ts", "local/src/main.ts"],
        ["local/src/main.ts", "index.ts"],
        ["index.ts", "render/program.ts"],
        ["render/program.ts", "operations/release/machine/drive.ts"],
        ["bench/service/main.ts", "config/redis.ts"],
        ["insights/src/main.ts", "operations/judge/prometheus.ts"],
        ["operations/cluster/objects.ts", "operations/release/fence.ts"],
        ["examples/pulumi/index.ts", "app/src/server.ts"],
        ["components/edge.ts", "tests/support/property.ts"],
        ["components/edge/a.ts", "components/edge/b.ts"],
        ["components/edge/b.ts", "components/edge/a.ts"],
    ]);
    expect(refused).toEqual(
        [
            "imports-of-contract: contract/src/names.ts",
            "imports-of-app: app/src/server.ts",
            "imports-of-policies: policies/core/rule.ts",
            "imports-of-components: components/redis.ts",
            "imports-of-config: config/redis.ts",
            "imports-of-operations: operations/stack/stacks.ts",
            "imports-of-local: local/src/main.ts",
            "imports-of-operations-cluster: operations/cluster/objects.ts",
            "imports-of-index: index.ts",
            "imports-of-render: render/program.ts",
            "imports-of-bench: bench/service/main.ts",
            "imports-of-insights: insights/src/main.ts",
            "imports-of-examples: examples/pulumi/index.ts",
            "no-import-of-tests: components/edge.ts",
            "no-circle: components/edge/a.ts",
        ].sort(),
    );
});
