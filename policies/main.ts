import { runCommand, UserError } from "@property-search/contract";
import { Command, Option } from "commander";
import { docsOf } from "./docs.ts";
import { headline } from "./engine/message.ts";
import {
    advicesOf,
    endingOf,
    expiredOf,
    failuresOf,
    run,
    type Run,
    type SetExemption,
} from "./engine/run.ts";
import { readManifests } from "./manifests.ts";
import { markdownReport } from "./report/markdown.ts";
import { textReport, timesTable } from "./report/text.ts";
import { RULES } from "./rules/index.ts";
import { policiesOf, policyInputsOf, readPolicies } from "./stacks.ts";

interface CheckOptions {
    readonly config?: string;
    readonly stack?: string;
    readonly subject: string;
    readonly format: keyof typeof FORMATS;
    readonly times: boolean;
}

const FORMATS = { text: textReport, markdown: markdownReport, json: jsonReport } as const;
/** Exit code for violations of mandatory rules. */
const VIOLATED = 1;
/** Exit code for wrong usage or invalid input. */
const WRONG_USE = 2;

const program = new Command("policies")
    .description("Runs the policy pack without Pulumi and without a cluster.")
    .exitOverride();

program
    .command("check")
    .description("Checks manifests against all rules; fails on violations of mandatory rules.")
    .argument("[files...]", "YAML or JSON; - is standard input", ["-"])
    .option("--config <file>", "levels, thresholds and exemptions by rule")
    .option(
        "--stack <name>",
        "stack whose levels, thresholds, exemptions and registry apply",
    )
    .option("--subject <name>", "name of the manifests in the report", "these manifests")
    .addOption(new Option("--format <format>").choices(Object.keys(FORMATS)).default("text"))
    .option("--times", "print the time of each rule", false)
    .action(async (files: string[], { stack, config, subject, format, times }: CheckOptions) => {
        const stackPolicies = stack === undefined ? {} : policiesOf(stack, policyInputsOf(stack));
        const policies = config === undefined ? stackPolicies : readPolicies(config);
        const read = files.map((file) => readManifests(file, (text) => console.error(text)));
        const objects = (await Promise.all(read)).flat();
        if (objects.length === 0) {
            throw new UserError(`no Kubernetes objects in ${files.join(", ")}`);
        }
        const result = run(RULES, policies, objects);
        console.log(FORMATS[format](result, subject));
        if (times) console.log(timesTable(result));
        if (failuresOf(result).length + expiredOf(result).length > 0) process.exitCode = VIOLATED;
    });

program
    .command("docs")
    .description("Prints the documentation of the rules, with examples from a stack's manifests.")
    .option("--config <file>", "the stack's levels, thresholds and exemptions")
    .action(async ({ config }: Pick<CheckOptions, "config">) => {
        const policies = config === undefined ? {} : readPolicies(config);
        const manifests = (await readManifests("-")).map(({ body }) => body);
        process.stdout.write(docsOf(RULES, policies, manifests));
    });

function jsonReport(result: Run): string {
    const byLevel = { mandatory: failuresOf(result), advisory: advicesOf(result) };
    const findings = Object.entries(byLevel).flatMap(([level, violations]) =>
        violations.map((violation) => ({
            level,
            rule: violation.rule.name,
            severity: violation.rule.severity,
            message: headline(violation),
            path: violation.path,
            fix: violation.finding.fix,
        })),
    );
    const exemptions = (all: readonly SetExemption[]) =>
        all.map(({ rule, exemption }) => ({ rule: rule.name, ...exemption }));
    const [expired, expiring] = [expiredOf(result), endingOf(result)].map(exemptions);
    return JSON.stringify(
        { objects: result.objects, rules: result.rules.length, findings, expired, expiring },
        undefined,
        2,
    );
}

await runCommand(program, { failureExitCode: WRONG_USE });
