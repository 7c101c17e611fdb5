import { chooseCores, commitId, describeMachine, pinTo } from "../../shared/machine.ts";
import { prepareAll } from "../../shared/prepareAll.ts";
import type { Processes } from "../processes/processes.ts";
import { startRedis } from "../processes/redis.ts";
import type { BenchmarkResult } from "../report/result.ts";
import { createStore, type Report } from "../report/store.ts";
import { formatResult } from "../report/table.ts";
import { startUpstream } from "../upstream/start.ts";
import type { BenchmarkContext, Benchmark } from "./benchmark.ts";

export interface RunOptions {
    /** Name of the report. */
    readonly name: string;
    readonly benchmarks: readonly Benchmark[];
    readonly processes: Processes;
    readonly signal: AbortSignal;
    /** Shows the current step. */
    readonly showProgress: (line: string) => void;
    /** Prints a finished result. */
    readonly print: (text: string) => void;
}

/** Runs the benchmarks one after another and saves each result. @returns the report and its path */
export async function runBenchmarks(
    options: RunOptions,
): Promise<{ report: Report; file: string }> {
    const { name, benchmarks, processes, signal, showProgress, print } = options;
    const chosenCores = chooseCores();
    await pinTo(chosenCores.generator);
    const peers = new Set(benchmarks.flatMap((benchmark) => benchmark.peers));
    const { missing } = await prepareAll(peers, (peer) => peer.install(showProgress));
    for (const reason of missing.values()) print(`${reason}\n`);
    const run = { commit: await commitId(), machine: describeMachine() };
    const store = createStore(name, run);
    const partial = store.loadPartial();
    const begun = partial?.begun ?? new Date().toISOString();
    const results: BenchmarkResult[] = [...(partial?.results ?? [])];
    const report = (finished?: string): Report => ({ name, begun, finished, ...run, results });
    const upstream = await startUpstream(processes, { core: chosenCores.generator });
    const context: BenchmarkContext = {
        resources: {
            processes,
            upstream: upstream.url,
            redis: await startRedis(processes, chosenCores.generator),
        },
        cores: chosenCores,
        signal,
        showProgress,
        isAvailable: (peer) => !missing.has(peer),
    };
    for (const [index, benchmark] of benchmarks.entries()) {
        const earlier = results.find(({ id }) => id === benchmark.id);
        showProgress(`${index + 1} of ${benchmarks.length}: ${benchmark.title}`);
        const result = earlier ?? {
            ...{ id: benchmark.id, title: benchmark.title },
            ...{ peers: [], facts: [], floors: [], notes: [], versions: {} },
            ...(await benchmark.run(context)),
        };
        if (!earlier) {
            results.push(result);
            store.savePartial(report());
        }
        const shown = earlier
            ? { ...result, title: `${result.title} (from an interrupted run)` }
            : result;
        print(`${formatResult(shown)}\n`);
    }
    const finished = report(new Date().toISOString());
    return { report: finished, file: store.saveFinal(finished) };
}
