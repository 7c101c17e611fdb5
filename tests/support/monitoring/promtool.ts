import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RuleFile } from "../../../components/monitoring/alerts/index.ts";

/** A file of promtool's unit tests, and the rules that it is about. */
export interface Suite {
    readonly rules: Readonly<Record<string, RuleFile>>;
    readonly interval: string;
    readonly tests: readonly SuiteTest[];
}

export interface SuiteTest {
    readonly name: string;
    /** Between two samples. */
    readonly interval: string;
    readonly input_series: readonly { readonly series: string; readonly values: string }[];
    readonly promql_expr_test?: readonly {
        readonly expr: string;
        readonly eval_time: string;
        readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
    }[];
    readonly alert_rule_test?: readonly {
        readonly eval_time: string;
        readonly alertname: string;
        readonly exp_alerts: readonly object[];
    }[];
}

export interface Outcome {
    readonly code: number;
    readonly output: string;
}

/** Runs promtool once over all of the suites. */
export async function testRules(suites: readonly Suite[]): Promise<Outcome> {
    return inFolder(async (folder) => {
        const files = await Promise.all(
            suites.map(async ({ rules, interval, tests }, index) => {
                const names = await writeRules(folder, rules, `${index}-`);
                const file = join(folder, `${index}-test.yml`);
                const groups = Object.values(rules).flatMap((one) =>
                    one.groups.map(({ name }) => name),
                );
                const suite = {
                    rule_files: names,
                    evaluation_interval: interval,
                    group_eval_order: groups,
                    tests,
                };
                await writeFile(file, JSON.stringify(suite));
                return file;
            }),
        );
        return promtool(["test", "rules", ...files]);
    });
}

export async function checkRules(rules: Readonly<Record<string, RuleFile>>): Promise<Outcome> {
    return inFolder(async (folder) =>
        promtool(["check", "rules", ...(await writeRules(folder, rules))]),
    );
}

/** JSON is YAML. */
async function writeRules(
    folder: string,
    rules: Readonly<Record<string, RuleFile>>,
    prefix = "",
): Promise<string[]> {
    return Promise.all(
        Object.entries(rules).map(async ([name, file]) => {
            const path = join(folder, prefix + name);
            await writeFile(path, JSON.stringify(file));
            return path;
        }),
    );
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "rules-"));
    try {
        return await run(folder);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

function promtool(args: readonly string[]): Promise<Outcome> {
    return new Promise((resolve) => {
        execFile("promtool", args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
            const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
            resolve({ code, output: stdout + stderr });
        });
    });
}
