import { invalidValue, makeFolder, runCommand } from "@property-search/contract";
import { Command } from "commander";
import path from "node:path";

import { userStateFolder } from "../../operations/stack/stateFolder.ts";
import { abortOnInterrupt, createReporter, INTERRUPTED, parseSome } from "../shared/commandLine.ts";
import { replaceFile } from "../shared/replaceFile.ts";
import { EXIT_CODES } from "./objectives.ts";
import { renderReport } from "./report/html.ts";
import { formatReport } from "./report/text.ts";
import { runScenario, type LoadReport } from "./run.ts";
import { RECORDED_OBJECTIVES, SCENARIOS, type Scenario } from "./scenarios.ts";
import { findLoadTarget } from "./target.ts";
import { SERVICES, type ServiceName } from "./traffic/requests.ts";
import { readTrace, type TraceEntry } from "./traffic/trace.ts";

interface LoadFlags {
    readonly scenario?: string;
    readonly trace?: string;
    readonly url?: string;
    readonly minutes?: number;
    readonly users?: number;
    readonly rate?: number;
    readonly think?: number;
    readonly seed: number;
    readonly services: readonly ServiceName[];
    readonly out?: string;
}

const names = Object.keys(SCENARIOS).join(", ");
const program = new Command("load")
    .description(
        "Sends the load of a scenario to the platform on this machine and evaluates the responses.\n" +
            "Exit code: 0 all goals are met, 1 one is not, 3 inconclusive (the generator was late, or a goal was not measured).",
    )
    .option("--scenario <name>", describeScenarios())
    .option(
        "--trace <file>",
        "replay a recorded trace instead: lines of {at, path, user?, method?, body?}",
    )
    .option("--url <url>", "target on this machine's loopback; default: the Gateway of make up")
    .option("--minutes <number>", "duration", parseNumber("MINUTES", 0.05, 1440))
    .option("--users <number>", "users at the same time", parseInteger("USERS", 1, 20_000))
    .option("--rate <number>", "requests per second", parseNumber("RATE", 0.1, 20_000))
    .option("--think <seconds>", "mean pause of a user", parseNumber("THINK", 0.01, 3600))
    .option("--seed <number>", "seed of texts and times", parseNumber("SEED", 0, 2 ** 32 - 1), 1)
    .option(
        "--services <list>",
        `some of ${SERVICES.join(",")}`,
        parseSome("SERVICES", SERVICES),
        SERVICES,
    )
    .option(
        "--out <folder>",
        "folder of result.json and report.html; default: the user's state folder",
    )
    .action(runLoad);

await runCommand(program);

async function runLoad(flags: LoadFlags): Promise<void> {
    const { name, scenario } = await chooseScenario(flags);
    assertUsed(name, scenario, flags);
    const target = await findLoadTarget(flags.url, console.error);
    const signal = abortOnInterrupt();
    const { clear, report: print, showProgress } = createReporter();
    const begun = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    const folder = path.resolve(
        flags.out ?? path.join(userStateFolder(), "load", `${begun}-${name}`),
    );
    // A folder that cannot be written must not be noticed after an hour of load.
    makeFolder("OUT", folder);
    const report = await runScenario({
        name,
        scenario,
        settings: {
            ...scenario.defaults,
            ...(flags.minutes !== undefined && { minutes: flags.minutes }),
            ...(flags.users !== undefined && { users: flags.users }),
            ...(flags.rate !== undefined && { rate: flags.rate }),
            ...(flags.think !== undefined && { thinkSeconds: flags.think }),
            seed: flags.seed,
            services: flags.trace === undefined ? flags.services : [],
        },
        target,
        report: print,
        showProgress,
        signal,
        save: (partial) => saveReport(folder, partial),
    });
    clear();
    saveReport(folder, report);
    console.log(formatReport(report));
    console.log(`Report: ${path.join(folder, "report.html")}`);
    process.exitCode = report.interrupted ? INTERRUPTED : EXIT_CODES[report.verdict];
}

/** Writes both files; a reader finds a whole file at any time. */
function saveReport(folder: string, report: LoadReport): void {
    makeFolder("OUT", folder);
    replaceFile(path.join(folder, "result.json"), `${JSON.stringify(report, undefined, 2)}\n`);
    replaceFile(path.join(folder, "report.html"), renderReport(report));
}

async function chooseScenario(
    flags: LoadFlags,
): Promise<{ readonly name: string; readonly scenario: Scenario }> {
    const { scenario: name = "", trace } = flags;
    if (trace !== undefined) {
        if (name !== "") throw invalidValue("SCENARIO", name, "not set, since TRACE is set");
        return { name: "recorded", scenario: recorded(trace, await readTrace(trace)) };
    }
    const found = Object.entries<Scenario>(SCENARIOS).find(([one]) => one === name);
    if (found) return { name, scenario: found[1] };
    throw invalidValue("SCENARIO", name, names);
}

/** @throws UserError for a setting whose default is 0, since the scenario does not use it */
function assertUsed(name: string, { defaults }: Scenario, flags: LoadFlags): void {
    for (const [variable, value, byDefault] of [
        ["MINUTES", flags.minutes, defaults.minutes],
        ["RATE", flags.rate, defaults.rate],
        ["THINK", flags.think, defaults.thinkSeconds],
    ] as const) {
        if (value === undefined || byDefault !== 0) continue;
        throw invalidValue(variable, String(value), `not set, since ${name} does not use it`);
    }
}

function recorded(file: string, entries: readonly TraceEntry[]): Scenario {
    const users = new Set(entries.map(({ user }) => user)).size;
    return {
        description: `the recorded trace ${path.basename(file)}`,
        defaults: { minutes: 0, users, rate: 0, thinkSeconds: 0, newShare: 0 },
        corpus: { listings: 0, queries: 0, questions: 0 },
        isWarm: false,
        phases: () => [
            {
                name: "recorded",
                workload: `${entries.length} requests of ${users} users, as recorded`,
                users,
                trace: () => entries,
                objectives: RECORDED_OBJECTIVES,
            },
        ],
    };
}

function describeScenarios(): string {
    const lines = Object.entries<Scenario>(SCENARIOS).map(
        ([name, { description }]) => `  ${name}: ${description}`,
    );
    return ["one of", ...lines].join("\n");
}

function parseNumber(name: string, min: number, max: number): (text: string) => number {
    return (text) => {
        const value = Number(text);
        if (text.trim() !== "" && value >= min && value <= max) return value;
        throw invalidValue(name, text, `a number from ${min} to ${max}`);
    };
}

function parseInteger(name: string, min: number, max: number): (text: string) => number {
    return (text) => {
        const value = parseNumber(name, min, max)(text);
        if (Number.isInteger(value)) return value;
        throw invalidValue(name, text, `a whole number from ${min} to ${max}`);
    };
}
