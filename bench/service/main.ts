import { runCommand } from "@property-search/contract";
import { Command } from "commander";

import { runBenchmarks, type RunOptions } from "./benchmarks/runBenchmarks.ts";
import { parseDuration } from "./benchmarks/duration.ts";
import { fullMatrix, quickMatrix } from "./benchmarks/matrix.ts";
import { hostileSoak } from "./benchmarks/hostileSoak.ts";
import { soak } from "./benchmarks/soak.ts";
import { BenchError } from "../shared/benchError.ts";
import { createProcesses } from "./processes/processes.ts";
import { createProgress } from "./report/progress.ts";

interface BenchFlags {
    readonly quick?: true;
    readonly soak?: number;
    readonly hostile?: true;
    readonly only?: string;
}

const program = new Command("bench")
    .description("Compares the service with its peers on this machine, by ratios")
    .option("--quick", "only the hot path against raw node:http, in about a minute")
    .option("--soak <duration>", "only resident memory under load, for example 10m", parseDuration)
    .option("--hostile", "with --soak: latency, vectors and memory while hostile requests arrive")
    .option("--only <text>", "only benchmarks whose id contains this text, for example open")
    .action(runBench);

await runCommand(program);
// Servers and peers that are still running would keep the process alive.
if (process.exitCode === 1) process.exit();

async function runBench(flags: BenchFlags): Promise<void> {
    const interrupted = new AbortController();
    const processes = createProcesses();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => {
            interrupted.abort();
            processes.killAll();
            console.error(
                "\nInterrupted. Finished benchmarks are kept; run the command again to resume.",
            );
            process.exit(130);
        });
    }
    const progress = createProgress(process.stderr);
    try {
        const { report, file } = await runBenchmarks({
            ...selectBenchmarks(flags),
            processes,
            signal: interrupted.signal,
            showProgress: progress.show,
            print: (text) => {
                progress.clear();
                console.log(text);
            },
        });
        const floors = report.results.flatMap((result) => result.floors);
        const met = floors.filter((floor) => floor.met).length;
        console.log(`${met} of ${floors.length} floors met; all figures: ${file}`);
    } finally {
        progress.clear();
        processes.killAll();
    }
}

/** Each selection has a report of its own. @throws BenchError if nothing is selected */
function selectBenchmarks({
    quick,
    soak: seconds,
    hostile,
    only,
}: BenchFlags): Pick<RunOptions, "name" | "benchmarks"> {
    if (hostile) {
        if (seconds === undefined)
            throw new BenchError("--hostile needs --soak, such as --soak 30m");
        return { name: "hostile-soak", benchmarks: [hostileSoak(seconds)] };
    }
    if (seconds !== undefined) return { name: "soak", benchmarks: [soak(seconds)] };
    const [name, all] = quick ? ["bench-quick", quickMatrix()] : ["bench", fullMatrix()];
    if (only === undefined) return { name, benchmarks: all };
    const benchmarks = all.filter(({ id }) => id.includes(only));
    if (benchmarks.length > 0) return { name: `${name}-${only}`, benchmarks };
    throw new BenchError(
        `no benchmark id contains "${only}"; allowed: ${all.map(({ id }) => id).join(", ")}`,
    );
}
