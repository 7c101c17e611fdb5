import { writeFileSync } from "node:fs";
import path from "node:path";

import type { Sample } from "../generators/sample.ts";
import type { Cores } from "../machine.ts";
import type { Contestant, Ground, Peer } from "../peers/peer.ts";
import { requestBodies } from "../workload.ts";
import type { Cell, Standings } from "./cell.ts";
import { fill, post } from "./fill.ts";

export interface Bench {
    readonly ground: Omit<Ground, "answer" | "core">;
    readonly cores: Cores;
    readonly signal: AbortSignal;
    readonly say: (line: string) => void;
}

/** Compiled code and open connections: what a server has after its first seconds. */
const WARM_UP_SECONDS = 2;

interface Entrant {
    readonly peer: Peer;
    readonly contestant: Contestant;
}

/** All contestants run at once, idle but for the one whose turn it is. */
export async function measure(cell: Cell, bench: Bench): Promise<Standings> {
    const { ground, cores, signal } = bench;
    const bodies = requestBodies(cell.workload);
    const bodiesFile = path.join(ground.processes.folder, `bodies-${cell.id}.ndjson`);
    writeFileSync(bodiesFile, bodies.map(({ json }) => `${json}\n`).join(""));
    const entrants: Entrant[] = [];
    try {
        await enter();
        for (const { contestant } of entrants) await run(contestant, WARM_UP_SECONDS);
        return await takeTurns();
    } finally {
        await Promise.all(entrants.map(({ contestant }) => contestant.stop()));
    }

    async function enter(): Promise<void> {
        const { service, workload } = cell;
        const own = { ...ground, core: cores.server };
        const contestant = await service.start(own);
        entrants.push({ peer: service, contestant });
        await fill(contestant, bodies, workload.dimensions);
        const answer = await post(contestant, bodies[0]?.json ?? "");
        for (const peer of cell.peers) {
            signal.throwIfAborted();
            const other = await peer.start({ ...own, answer });
            entrants.push({ peer, contestant: other });
            if (!peer.blind) await fill(other, bodies, workload.dimensions);
        }
    }

    async function takeTurns(): Promise<Standings> {
        const standings = new Map<string, Sample[]>(entrants.map(({ peer }) => [peer.name, []]));
        for (let turn = 1; turn <= cell.repetitions; turn += 1) {
            for (const { peer, contestant } of entrants) {
                bench.say(`${cell.title}: ${peer.name}, ${turn} of ${cell.repetitions}`);
                standings.get(peer.name)?.push(await run(contestant, cell.seconds));
            }
        }
        return standings;
    }

    function run({ url, headers, pid }: Contestant, seconds: number): Promise<Sample> {
        const load = {
            ...{ url, headers, bodiesFile, seconds, server: pid },
            ...{ connections: cell.connections, core: cores.generator },
        };
        return cell.generator(load, signal);
    }
}
