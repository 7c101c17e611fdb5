import { Command } from "commander";

import { bench } from "./bench/bench.ts";
import { quickMatrix } from "./bench/matrix.ts";
import { BenchError } from "./error.ts";
import { openProcesses } from "./processes/processes.ts";
import { progress } from "./report/progress.ts";

const program = new Command("load").description("Measures the service beside its peers");

program
    .command("bench")
    .description("the service beside its peers, by ratios in one run on this machine")
    .action(runBench);

program.parseAsync().catch((error: unknown) => {
    console.error(error instanceof BenchError ? `Error: ${error.message}` : error);
    process.exit(1);
});

async function runBench(): Promise<void> {
    const interrupted = new AbortController();
    const processes = openProcesses();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => {
            processes.end();
            interrupted.abort();
            console.error("\nInterrupted; finished cells are kept, run it again to go on.");
            process.exit(130);
        });
    }
    const show = progress(process.stderr);
    try {
        const { report, file } = await bench({
            name: "bench-quick",
            cells: quickMatrix(),
            processes,
            signal: interrupted.signal,
            say: show.say,
            print: (text) => {
                show.clear();
                console.log(text);
            },
        });
        const floors = report.cells.flatMap((cell) => cell.floors);
        const met = floors.filter((floor) => floor.met).length;
        console.log(`${met} of ${floors.length} floors met; all figures: ${file}`);
    } finally {
        show.clear();
        processes.end();
    }
}
