/** Evaluates semantic reuse: node bench/semantic/main.ts --help */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

import { runCommand } from "@property-search/contract";
import { Command } from "commander";

import { checkPairs, checkParaphrases } from "./adversarial.ts";
import { DEFAULT_DATA, EVALUATED_TEXTS, readDataSets } from "./data/dataSets.ts";
import { selectNames, wholeNumber } from "./flags.ts";
import { INTERPOLATION, STATIC } from "./methods.ts";
import { loadCorpus } from "./loadCorpus.ts";
import { createTasks, MAIN_BUDGET, taskName, type Task } from "./plan.ts";
import { runTasks } from "./pool.ts";
import { plotErrors } from "./report/plot.ts";
import {
    adversarialTable,
    budgetTables,
    comparisonTables,
    floorTable,
    groupByWorkload,
    isMain,
    paraphraseTable,
    qualityTable,
} from "./report/tables.ts";
import type { Summary } from "./runTask.ts";
import { STREAMS } from "./streams.ts";
import { evaluateThroughService } from "./throughService.ts";
import { UPSTREAM_MODELS } from "./vectors/models.ts";

interface Options {
    readonly data: string;
    readonly texts: string;
    readonly requests: string;
    readonly seeds: string;
    readonly firstSeed: string;
    readonly minutes: string;
    readonly threads: string;
    readonly sets?: string;
    readonly models?: string;
    readonly streams?: string;
    readonly only?: string;
    readonly budgets?: string;
    readonly rewritten?: boolean;
    readonly throughService?: boolean;
}

const RESULTS = path.resolve(import.meta.dirname, "../results/semantic");

async function main(options: Options): Promise<void> {
    const seeds = { first: Number(options.firstSeed), count: Number(options.seeds) };
    const requests = Number(options.requests);
    const endsAt = performance.now() + Number(options.minutes) * 60_000;
    if (!existsSync(options.data))
        console.log(
            `The public data is missing in ${options.data}: only the property queries are used`,
        );
    const allSets = readDataSets(options.data, Number(options.texts));
    const selectedSets = selectNames(
        "--sets",
        options.sets,
        allSets.map(({ name }) => name),
    );
    const sets = allSets.filter(({ name }) => selectedSets.has(name));
    const selectedModels = selectNames(
        "--models",
        options.models,
        UPSTREAM_MODELS.map(({ name }) => name),
    );
    const models = UPSTREAM_MODELS.filter(({ name }) => selectedModels.has(name));
    const selectedStreams = selectNames("--streams", options.streams, STREAMS);
    const all = createTasks(
        sets.map(({ name }) => name),
        models.map(({ name }) => name),
        STREAMS.filter((name) => selectedStreams.has(name)),
    );
    const methods = selectNames(
        "--only",
        options.only,
        all.map(({ method }) => method.name),
    );
    const budgets = selectNames(
        "--budgets",
        options.budgets,
        all.map(({ budget }) => String(budget)),
    );
    const tasks = all.filter(
        ({ method, budget }) => methods.has(method.name) && budgets.has(String(budget)),
    );
    if (options.throughService === true) {
        // With every δ; the service calibrates ρ itself.
        const own = tasks.filter(
            ({ minCosine, method }) => minCosine !== undefined && method.name === INTERPOLATION,
        );
        for (const { set: name, model: modelName, stream, budget } of own) {
            const [set, model] = [findNamed(sets, name), findNamed(models, modelName)];
            const corpus = await loadCorpus(set, model, false, console.log);
            const evaluated = { stream, requests, seed: seeds.first, budget };
            console.log(await evaluateThroughService(corpus, evaluated));
        }
        return;
    }
    const isRewritten = options.rewritten ?? false;
    const version = digestSources();
    const nameOf = (task: Task): string =>
        [
            taskName(task, requests),
            `seeds ${seeds.first} ${seeds.count}`,
            ...(isRewritten ? ["rewritten"] : []),
            version,
        ].join(", ");
    const resultOf = (task: Task): Summary | undefined => readResult(nameOf(task));
    const missing = tasks.filter((task) => !resultOf(task));
    // Encoded once, before the threads need them.
    for (const set of sets)
        for (const model of models)
            if (missing.some((task) => task.set === set.name && task.model === model.name))
                await loadCorpus(set, model, isRewritten, console.log);
    let done = tasks.length - missing.length;
    const texts = Number(options.texts);
    const workerOptions = { data: options.data, texts, seeds, requests, isRewritten };
    await runTasks(missing, workerOptions, Number(options.threads), endsAt, (task, summary) => {
        done += 1;
        writeResult(nameOf(task), summary);
        console.log(`${done}/${tasks.length} ${nameOf(task)}: ${describe(summary)}`);
    });
    writeReport(
        tasks.flatMap((task) => resultOf(task) ?? []),
        options.data,
    );
    const rest = done < tasks.length ? "; run the same command again for the others" : "";
    console.log(`${done} of ${tasks.length} settings are done${rest}: ${RESULTS}/report.md`);
}

function findNamed<T extends { readonly name: string }>(all: readonly T[], name: string): T {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`Unknown: ${name}`);
    return found;
}

function describe({ served, errorPerHit, gain }: Summary): string {
    const [answers, error, saved] = [served, errorPerHit, gain].map(({ mean }) =>
        (mean * 100).toFixed(2),
    );
    return `answers ${answers} %, error per hit ${error} %, saved per exact hit ${saved} %`;
}

/** @returns what a result depends on, so that a changed method is evaluated again */
function digestSources(): string {
    const folders = ["../../app/src/semantic", "policies", "data"];
    const files = folders.flatMap((folder) =>
        readdirSync(path.join(import.meta.dirname, folder)).map((file) => path.join(folder, file)),
    );
    const own = ["corpus.ts", "loadCorpus.ts", "runTask.ts", "simulate.ts", "streams.ts"];
    const digest = createHash("sha256");
    for (const file of [...files, ...own].sort())
        digest.update(readFileSync(path.join(import.meta.dirname, file)));
    return digest.digest("hex").slice(0, 8);
}

function fileOf(name: string): string {
    return path.join(RESULTS, `${name.replaceAll(/[^\w.-]+/g, "_")}.json`);
}

function readResult(name: string): Summary | undefined {
    const file = fileOf(name);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Summary) : undefined;
}

function writeResult(name: string, summary: Summary): void {
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(fileOf(name), `${JSON.stringify(summary, undefined, 2)}\n`);
}

function writeReport(summaries: readonly Summary[], data: string): void {
    mkdirSync(RESULTS, { recursive: true });
    const tables = [
        ["Comparison at δ = 2 %, ρ = 0.90", comparisonTables(summaries)],
        ["Ratios", floorTable(summaries)],
        ["Budgets", budgetTables(summaries)],
        ["Quality", qualityTable(summaries)],
        ["Adversarial pairs", adversarialTable(checkPairs())],
        ["Pairs with the same meaning", paraphraseTable(checkParaphrases(data))],
    ].map(([title, table]) => `## ${title}\n\n${table}\n`);
    writeFileSync(path.join(RESULTS, "report.md"), tables.join("\n"));
    for (const [workload, group] of groupByWorkload(summaries)) {
        const point = ({ errorPerHit, served }: Summary) => ({ x: errorPerHit, y: served });
        const main = group.filter(isMain);
        const statics = main.filter(({ method }) => method.startsWith(STATIC));
        const own = group
            .filter(({ method, rho }) => method === INTERPOLATION && rho !== "calibrated")
            .toSorted((a, b) => a.budget - b.budget);
        const others = main.filter((row) => !statics.includes(row) && !own.includes(row));
        const svg = plotErrors(
            workload,
            [
                { name: "static thresholds", points: statics.map(point), isLine: true },
                { name: INTERPOLATION, points: own.map(point), isLine: true },
                ...others.map((row) => ({ name: row.method, points: [point(row)], isLine: false })),
            ],
            MAIN_BUDGET,
        );
        writeFileSync(fileOf(workload).replace(/json$/, "svg"), svg);
    }
}

const program = new Command("bench-semantic")
    .description("Evaluates semantic reuse on public data and generated property queries")
    .option("--data <folder>", "folder of the public data", process.env.BENCH_DATA ?? DEFAULT_DATA)
    .option(
        "--texts <number>",
        "most texts of a set",
        wholeNumber("--texts", 1),
        String(EVALUATED_TEXTS),
    )
    .option("--requests <number>", "requests of a stream", wholeNumber("--requests", 1), "3000")
    .option("--seeds <number>", "runs of each setting", wholeNumber("--seeds", 1), "20")
    .option(
        "--first-seed <number>",
        "the first seed; 1 to 4 are those of the development",
        wholeNumber("--first-seed"),
        "5",
    )
    .option(
        "--minutes <number>",
        "stop starting settings after this time; run again to continue",
        wholeNumber("--minutes"),
        "60",
    )
    .option(
        "--threads <number>",
        "threads",
        wholeNumber("--threads", 1),
        String(availableParallelism()),
    )
    .option("--sets <names>", "sets, separated by commas")
    .option("--models <names>", "upstream models, separated by commas")
    .option("--streams <names>", `streams, separated by commas: ${STREAMS.join(", ")}`)
    .option("--only <names>", "methods, separated by commas")
    .option("--budgets <numbers>", "budgets δ, separated by commas: 0.005, 0.01, 0.02, 0.05")
    .option("--rewritten", "apply the concept rules before the signature")
    .option("--through-service", "send the streams through the service and compare it with them");
program.action(() => main(program.opts<Options>()));
await runCommand(program);
