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
/** Something mandatory is violated. */
const VIOLATED = 1;
/** It could not be asked at all. */
const WRONG_USE = 2;

const program = new Command("policies")
    .description("The policy pack without Pulumi and without a cluster.")
    .exitOverride();

program
    .command("check")
    .description("Asks every rule of manifests; fails when something mandatory is violated.")
    .argument("[files...]", "YAML or JSON; - is standard input", ["-"])
    .option("--config <file>", "levels, thresholds and exemptions, by rule")
    .option(
        "--stack <name>",
        "the stack whose own levels, thresholds, exemptions and registry hold",
    )
    .option("--subject <name>", "what the manifests are, for the report", "these manifests")
    .addOption(new Option("--format <format>").choices(Object.keys(FORMATS)).default("text"))
    .option("--times", "add what each rule took", false)
    .action(async (files: string[], { stack, config, subject, format, times }: CheckOptions) => {
        const ofStack = stack === undefined ? {} : policiesOf(stack, policyInputsOf(stack));
        const policies = config === undefined ? ofStack : readPolicies(config);
        const read = files.map((file) => readManifests(file, (words) => console.error(words)));
        const objects = (await Promise.all(read)).flat();
        if (objects.length === 0) {
            throw new UserError(`there is no Kubernetes object in ${files.join(", ")}`);
        }
        const result = run(RULES, policies, objects);
        console.log(FORMATS[format](result, subject));
        if (times) console.log(timesTable(result));
        if (failuresOf(result).length + expiredOf(result).length > 0) process.exitCode = VIOLATED;
    });

program
    .command("docs")
    .description("Writes the page about the rules, with examples from a stack's manifests.")
    .option("--config <file>", "the stack's levels, thresholds and exemptions")
    .action(async ({ config }: Pick<CheckOptions, "config">) => {
        const policies = config === undefined ? {} : readPolicies(config);
        const manifests = (await readManifests("-")).map(({ body }) => body);
        process.stdout.write(docsOf(RULES, policies, manifests));
    });

function jsonReport(result: Run): string {
    const told = { mandatory: failuresOf(result), advisory: advicesOf(result) };
    const findings = Object.entries(told).flatMap(([level, violations]) =>
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
