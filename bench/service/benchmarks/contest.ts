import { writeBodies } from "../generators/bodies.ts";
import type { Latency, Load, Sample } from "../generators/sample.ts";
import type { Contestant, Peer } from "../peers/peer.ts";
import type { Service } from "../peers/service/service.ts";
import type { Finding, Standing } from "../report/finding.ts";
import { median, pairedRatio, spread } from "../report/statistics.ts";
import { requestBodies, type Workload } from "../workload.ts";
import { untilIdle } from "../processes/usage.ts";
import { fill, post } from "./fill.ts";
import { floorResult, type Floor, type Standings } from "./floors.ts";
import { invite, type Bench, type Trial } from "./trial.ts";

export type Generator = (load: Load, signal: AbortSignal) => Promise<Sample>;

/** Several contestants under the same load, in turns. */
export interface Contest {
    readonly id: string;
    readonly title: string;
    readonly workload: Workload;
    readonly connections: number;
    readonly generator: Generator;
    /** Always takes part. */
    readonly service: Service;
    /** Ratios are to the first of them. */
    readonly peers: readonly Peer[];
    readonly seconds: number;
    readonly turns: number;
    readonly floors: readonly Floor[];
}

/** A slow server works on at what its clients no longer wait for, on the core of the next in turn. */
const LONGEST_REST_SECONDS = 15;
/** Compiled code and open connections: what a server has after its first seconds. */
const WARM_UP_SECONDS = 2;

interface Entrant {
    readonly peer: Peer;
    readonly contestant: Contestant;
    readonly bodiesFile: string;
}

export function contest(options: Contest): Trial {
    const { id, title, peers, workload, connections, seconds, turns } = options;
    return {
        ...{ id, title, peers },
        run: async (bench) => {
            const entrants: Entrant[] = [];
            try {
                const notes = await enter(options, bench, entrants);
                for (const entrant of entrants) await run(entrant, WARM_UP_SECONDS, bench);
                const standings = await takeTurns(entrants, bench);
                const setting = { ...workload, connections, seconds, turns };
                return {
                    ...{ id, title, setting, notes },
                    ...finding(options, standings),
                    ...versions(entrants),
                };
            } finally {
                await Promise.all(entrants.map(({ contestant }) => contestant.stop()));
            }
        },
    };

    /** All run at once, idle but for the one whose turn it is. */
    async function takeTurns(entrants: readonly Entrant[], bench: Bench): Promise<Standings> {
        const standings = new Map<string, Sample[]>(entrants.map(({ peer }) => [peer.name, []]));
        for (let turn = 1; turn <= turns; turn += 1) {
            for (const entrant of entrants) {
                const { name } = entrant.peer;
                bench.say(`${title}: turn ${turn} of ${turns}, ${name}`);
                standings.get(name)?.push(await run(entrant, seconds, bench));
            }
        }
        return standings;
    }

    async function run(
        entrant: Entrant,
        length: number,
        { cores, signal }: Bench,
    ): Promise<Sample> {
        const { url, headers, pid } = entrant.contestant;
        const { bodiesFile } = entrant;
        const load = { url, headers, bodiesFile, connections, core: cores.generator, server: pid };
        const sample = await options.generator({ ...load, seconds: length }, signal);
        await untilIdle(pid, LONGEST_REST_SECONDS, signal);
        return sample;
    }
}

/** Starts the service first, since its answer is what blind peers send, and then the others. */
async function enter(
    { id, service, peers, workload }: Contest,
    bench: Bench,
    entrants: Entrant[],
): Promise<string[]> {
    const { ground, cores, say } = bench;
    const bodies = requestBodies(workload);
    const own = { ...ground, core: cores.server };
    const answer = await join(service, await service.start(own));
    const notes: string[] = [];
    for (const peer of peers) {
        const takePart = async (): Promise<void> => {
            await join(peer, await peer.start({ ...own, answer }));
        };
        notes.push(...(await invite(peer, bench, takePart)));
    }
    return notes;

    async function join(peer: Peer, contestant: Contestant): Promise<Buffer> {
        say(`${id}: filling ${peer.name}`);
        const held = bodies.slice(0, peer.holds);
        const name = `${id}-${held.length}`;
        const json = held.map((body) => body.json);
        const bodiesFile = writeBodies(ground.processes.folder, name, json);
        try {
            if (!peer.blind) await fill(contestant, held, workload.dimensions);
            const first = await post(contestant, held[0]?.json ?? "");
            entrants.push({ peer, contestant, bodiesFile });
            return first;
        } catch (error) {
            await contestant.stop();
            throw error;
        }
    }
}

function finding(
    { peers, floors }: Contest,
    standings: Standings,
): Pick<Finding, "standings" | "facts" | "floors"> {
    const reference = standings.get(peers[0]?.name ?? "");
    return {
        standings: [...standings].map(([name, samples]) => standing(name, samples, reference)),
        facts: [],
        floors: floors.flatMap((floor) => {
            const measured = floor.measure(standings);
            return measured === undefined ? [] : [floorResult(floor, measured)];
        }),
    };
}

function versions(entrants: readonly Entrant[]): Pick<Finding, "versions"> {
    const pairs = entrants.map(({ peer, contestant }) => [peer.name, contestant.version] as const);
    return { versions: Object.fromEntries(pairs) };
}

const PERCENTILES = ["p50", "p90", "p95", "p99", "p999", "max"] as const;

function standing(
    name: string,
    samples: readonly Sample[],
    reference: readonly Sample[] | undefined,
): Standing {
    const of = (pick: (sample: Sample) => number): number => median(samples.map(pick));
    const rates = samples.map(({ rate }) => rate);
    const others = reference?.map(({ rate }) => rate);
    const latency = Object.fromEntries(
        PERCENTILES.map((percentile) => [percentile, of((sample) => sample.latency[percentile])]),
    ) as unknown as Latency;
    return {
        name,
        rate: median(rates),
        spread: spread(rates),
        ratio: others && pairedRatio(rates, others),
        latency,
        bytesPerAnswer: Math.round(of(({ bytesPerSecond, rate }) => bytesPerSecond / rate)),
        failed: samples.reduce((sum, { failed }) => sum + failed, 0),
        serverCore: of(({ serverCore }) => serverCore),
        generatorCore: of(({ generatorCore }) => generatorCore),
        samples,
    };
}
