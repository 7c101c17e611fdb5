import { BenchError } from "../error.ts";
import { commit, cores, machine } from "../machine.ts";
import type { Peer } from "../peers/peer.ts";
import type { Processes } from "../processes/processes.ts";
import { startRedis } from "../processes/redis.ts";
import { cellResult, type CellResult } from "../report/results.ts";
import { openStore, type Report } from "../report/store.ts";
import { cellTable } from "../report/table.ts";
import { startUpstream } from "../upstream/start.ts";
import type { Cell } from "./cell.ts";
import { measure, type Bench } from "./measure.ts";

export interface BenchOptions {
    /** Of the report. */
    readonly name: string;
    readonly cells: readonly Cell[];
    readonly processes: Processes;
    readonly signal: AbortSignal;
    /** Shows what it is doing now. */
    readonly say: (line: string) => void;
    /** Prints what it has found. */
    readonly print: (text: string) => void;
}

/** Measures one cell after the other, keeping each. @returns the path of the whole report. */
export async function bench(options: BenchOptions): Promise<{ report: Report; file: string }> {
    const { name, processes, signal, say, print } = options;
    const run = { commit: await commit(), machine: machine() };
    const store = openStore(name, run);
    const chosen = cores();
    const kept = store.unfinished();
    const done: CellResult[] = [...(kept?.cells ?? [])];
    if (done.length > 0) print(`Going on after the ${done.length} cells of an interrupted run.\n`);
    const report = (): Report => ({
        name,
        begun,
        finished: undefined,
        ...run,
        versions: {},
        cells: done,
    });
    const begun = kept?.begun ?? new Date().toISOString();
    const parts: Bench = {
        ground: {
            processes,
            upstream: await startUpstream(processes, chosen.generator),
            redis: await startRedis(processes, chosen.generator),
        },
        cores: chosen,
        signal,
        say,
    };
    const left = await prepared(options);
    for (const cell of left) {
        const known = done.find(({ id }) => id === cell.id);
        const result = known ?? cellResult(cell, await measure(cell, parts));
        if (!known) {
            done.push(result);
            store.keep(report());
        }
        print(`${cellTable(result)}\n`);
    }
    const whole = { ...report(), finished: new Date().toISOString() };
    return { report: whole, file: store.finish(whole) };
}

/** Cells without the peers that cannot be had here; why is said once. */
async function prepared({ cells, say, print }: BenchOptions): Promise<readonly Cell[]> {
    const missing = new Set<Peer>();
    for (const peer of new Set(cells.flatMap(({ peers }) => peers))) {
        try {
            await peer.prepare(say);
        } catch (error) {
            if (!(error instanceof BenchError)) throw error;
            missing.add(peer);
            print(`Without ${peer.name}: ${error.message}\n`);
        }
    }
    return cells.map((cell) => ({
        ...cell,
        peers: cell.peers.filter((peer) => !missing.has(peer)),
    }));
}
