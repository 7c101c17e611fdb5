import { runCommand, UserError } from "@property-search/contract";
import { Command, Option } from "commander";
import { createDocs } from "./docs.ts";
import { formatHeadline } from "./engine/message.ts";
import {
    findAdvisories,
    findExpiring,
    findExpired,
    findFailures,
    runRules,
    type Run,
    type RuleExemption,
} from "./engine/run.ts";
import { readManifests } from "./manifests.ts";
import { markdownReport } from "./report/markdown.ts";
import { textReport, formatTimes } from "./report/text.ts";
import { RULES } from "./rules/index.ts";
import { readStackPolicies, readPolicyInputs, readPolicyFile } from "./stacks.ts";

interface CheckOptions {
    readonly config?: string;
    readonly stack?: string;
    readonly subject: string;
    readonly format: keyof typeof FORMATS;
    readonly times: boolean;
}

const FORMATS = { text: textReport, markdown: markdownReport, json: jsonReport } as const;
/** Exit code for violations of mandatory rules. */
const EXIT_VIOLATIONS = 1;
/** Exit code for wrong usage or invalid input. */
const EXIT_USAGE = 2;

const program = new Command("policies")
    .description("Runs the policy pack without Pulumi and without a cluster")
    .exitOverride();

program
    .command("check")
    .description("check manifests against all rules; fail on violations of mandatory rules")
    .argument("[files...]", "YAML or JSON; - is standard input", ["-"])
    .option("--config <file>", "levels, thresholds and exemptions by rule")
    .option("--stack <name>", "stack whose levels, thresholds, exemptions and registry apply")
    .option("--subject <name>", "name of the manifests in the report", "these manifests")
    .addOption(
        new Option("--format <format>", "format of the report")
            .choices(Object.keys(FORMATS))
            .default("text"),
    )
    .option("--times", "print the time of each rule", false)
    .action(async (files: string[], { stack, config, subject, format, times }: CheckOptions) => {
        const stackPolicies =
            stack === undefined ? {} : readStackPolicies(stack, readPolicyInputs(stack));
        const policies = config === undefined ? stackPolicies : readPolicyFile(config);
        const read = files.map((file) => readManifests(file, (text) => console.error(text)));
        const objects = (await Promise.all(read)).flat();
        if (objects.length === 0) {
            throw new UserError(`no Kubernetes objects in ${files.join(", ")}`);
        }
        const result = runRules(RULES, policies, objects);
        console.log(FORMATS[format](result, subject));
        if (times) console.log(formatTimes(result));
        if (findFailures(result).length + findExpired(result).length > 0)
            process.exitCode = EXIT_VIOLATIONS;
    });

program
    .command("docs")
    .description("print the documentation of the rules, with examples from a stack's manifests")
    .option("--config <file>", "the stack's levels, thresholds and exemptions")
    .action(async ({ config }: Pick<CheckOptions, "config">) => {
        const policies = config === undefined ? {} : readPolicyFile(config);
        const manifests = (await readManifests("-")).map(({ body }) => body);
        process.stdout.write(createDocs(RULES, policies, manifests));
    });

function jsonReport(result: Run): string {
    const byLevel = { mandatory: findFailures(result), advisory: findAdvisories(result) };
    const findings = Object.entries(byLevel).flatMap(([level, violations]) =>
        violations.map((violation) => ({
            level,
            rule: violation.rule.name,
            severity: violation.rule.severity,
            message: formatHeadline(violation),
            path: violation.path,
            fix: violation.finding.fix,
        })),
    );
    const exemptions = (all: readonly RuleExemption[]) =>
        all.map(({ rule, exemption }) => ({ rule: rule.name, ...exemption }));
    const [expired, expiring] = [findExpired(result), findExpiring(result)].map(exemptions);
    return JSON.stringify(
        { objects: result.objects, rules: result.rules.length, findings, expired, expiring },
        undefined,
        2,
    );
}

await runCommand(program, { failureExitCode: EXIT_USAGE });
