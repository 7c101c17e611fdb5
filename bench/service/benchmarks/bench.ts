import { commit, cores, machine, pin } from "../../shared/machine.ts";
import { prepareAll } from "../../shared/prepareAll.ts";
import type { Processes } from "../processes/processes.ts";
import { startRedis } from "../processes/redis.ts";
import type { Finding } from "../report/finding.ts";
import { openStore, type Report } from "../report/store.ts";
import { findingTable } from "../report/table.ts";
import { startUpstream } from "../upstream/start.ts";
import type { Bench, Trial } from "./trial.ts";

export interface BenchOptions {
    /** Of the report. */
    readonly name: string;
    readonly trials: readonly Trial[];
    readonly processes: Processes;
    readonly signal: AbortSignal;
    /** Shows what it is doing now. */
    readonly say: (line: string) => void;
    /** Prints what it has found. */
    readonly print: (text: string) => void;
}

/** Runs one trial after the other, keeping each finding. @returns the whole report and its path. */
export async function bench(options: BenchOptions): Promise<{ report: Report; file: string }> {
    const { name, trials, processes, signal, say, print } = options;
    const chosen = cores();
    await pin(chosen.generator);
    const peers = new Set(trials.flatMap((trial) => trial.peers));
    const { missing } = await prepareAll(peers, (peer) => peer.prepare(say));
    for (const reason of missing.values()) print(`${reason}\n`);
    const run = { commit: await commit(), machine: machine() };
    const store = openStore(name, run);
    const kept = store.unfinished();
    const begun = kept?.begun ?? new Date().toISOString();
    const findings: Finding[] = [...(kept?.findings ?? [])];
    const report = (finished?: string): Report => ({ name, begun, finished, ...run, findings });
    const upstream = await startUpstream(processes, { core: chosen.generator });
    const shared: Bench = {
        ground: {
            processes,
            upstream: upstream.url,
            redis: await startRedis(processes, chosen.generator),
        },
        cores: chosen,
        signal,
        say,
        has: (peer) => !missing.has(peer),
    };
    for (const [index, trial] of trials.entries()) {
        const known = findings.find(({ id }) => id === trial.id);
        say(`${index + 1} of ${trials.length}: ${trial.title}`);
        const finding = known ?? (await trial.run(shared));
        if (!known) {
            findings.push(finding);
            store.keep(report());
        }
        const told = known ? { ...finding, title: `${finding.title} (interrupted run)` } : finding;
        print(`${findingTable(told)}\n`);
    }
    const whole = report(new Date().toISOString());
    return { report: whole, file: store.finish(whole) };
}
