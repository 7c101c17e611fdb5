import { runCommand } from "@property-search/contract";
import { Command } from "commander";

import { bench, type BenchOptions } from "./benchmarks/bench.ts";
import { parseDuration } from "./benchmarks/duration.ts";
import { fullMatrix, quickMatrix } from "./benchmarks/matrix.ts";
import { hostileSoak } from "./benchmarks/hostileSoak.ts";
import { soak } from "./benchmarks/soak.ts";
import { BenchError } from "../shared/error.ts";
import { openProcesses } from "./processes/processes.ts";
import { progress } from "./report/progress.ts";

interface BenchFlags {
    readonly quick?: true;
    readonly soak?: number;
    readonly hostile?: true;
    readonly only?: string;
}

const program = new Command("load").description("Measures the service beside its peers");

program
    .command("bench")
    .description("the service beside its peers, by ratios in one run on this machine")
    .option("--quick", "only the hot path beside raw node:http, in about a minute")
    .option("--soak <duration>", "only resident memory under load, such as 10m", parseDuration)
    .option("--hostile", "with --soak: others' latency, vectors and memory beside hostile requests")
    .option("--only <text>", "only the trials whose id holds this text, such as open or float")
    .action(runBench);

await runCommand(program);
// Servers and peers that were started would keep it.
if (process.exitCode === 1) process.exit();

async function runBench(flags: BenchFlags): Promise<void> {
    const interrupted = new AbortController();
    const processes = openProcesses();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => {
            interrupted.abort();
            processes.end();
            console.error("\nInterrupted; what was measured is kept, run it again to go on.");
            process.exit(130);
        });
    }
    const show = progress(process.stderr);
    try {
        const { report, file } = await bench({
            ...chosen(flags),
            processes,
            signal: interrupted.signal,
            say: show.say,
            print: (text) => {
                show.clear();
                console.log(text);
            },
        });
        const floors = report.findings.flatMap((finding) => finding.floors);
        const met = floors.filter((floor) => floor.met).length;
        console.log(`${met} of ${floors.length} floors met; all figures: ${file}`);
    } finally {
        show.clear();
        processes.end();
    }
}

/** A part of the whole has a report of its own. @throws BenchError when nothing is chosen */
function chosen({
    quick,
    soak: seconds,
    hostile,
    only,
}: BenchFlags): Pick<BenchOptions, "name" | "trials"> {
    if (hostile) {
        if (seconds === undefined)
            throw new BenchError("--hostile needs --soak, such as --soak 30m");
        return { name: "hostile-soak", trials: [hostileSoak(seconds)] };
    }
    if (seconds !== undefined) return { name: "soak", trials: [soak(seconds)] };
    const [name, all] = quick ? ["bench-quick", quickMatrix()] : ["bench", fullMatrix()];
    if (only === undefined) return { name, trials: all };
    const trials = all.filter(({ id }) => id.includes(only));
    if (trials.length > 0) return { name: `${name}-${only}`, trials };
    throw new BenchError(
        `no trial's id holds "${only}"; there are ${all.map(({ id }) => id).join(", ")}`,
    );
}
