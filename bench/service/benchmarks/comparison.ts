import { writeBodies } from "../generators/bodies.ts";
import type { Load, Sample } from "../generators/sample.ts";
import type { Quantiles } from "../../shared/quantiles.ts";
import type { Target, Peer } from "../peers/peer.ts";
import type { Service } from "../peers/service/service.ts";
import type { BenchmarkResult, PeerResult } from "../report/result.ts";
import { median, pairedRatio, spread } from "../report/statistics.ts";
import { requestBodies, type Workload } from "../workload.ts";
import { waitUntilIdle } from "../processes/usage.ts";
import { fill, post } from "./fill.ts";
import { noFailures, type Floor, type SamplesByPeer } from "./floors.ts";
import { runIfAvailable, type BenchmarkContext, type Benchmark } from "./benchmark.ts";

export type Generator = (load: Load, signal: AbortSignal) => Promise<Sample>;

/** Several targets under the same load, in turns. */
export interface Comparison {
    readonly id: string;
    readonly title: string;
    readonly workload: Workload;
    readonly connections: number;
    readonly generator: Generator;
    /** Always takes part. */
    readonly service: Service;
    /** Ratios are relative to the first peer. */
    readonly peers: readonly Peer[];
    readonly seconds: number;
    readonly turns: number;
    readonly floors: readonly Floor[];
}

/** After its turn a slow server still works on abandoned requests, on the core that all servers share. */
const MAX_IDLE_WAIT_SECONDS = 15;
/** Time to compile code and open connections. */
const WARM_UP_SECONDS = 2;

interface Participant {
    readonly peer: Peer;
    readonly target: Target;
    readonly bodiesFile: string;
}

export function compare(options: Comparison): Benchmark {
    const { id, title, peers, workload, connections, seconds, turns } = options;
    return {
        ...{ id, title, peers },
        run: async (context) => {
            const participants: Participant[] = [];
            try {
                const notes = await startParticipants(options, context, participants);
                for (const participant of participants)
                    await run(participant, WARM_UP_SECONDS, context);
                const samplesByPeer = await takeTurns(participants, context);
                const setting = { ...workload, connections, seconds, turns };
                return {
                    ...{ setting, notes },
                    ...evaluate(options, samplesByPeer),
                    ...versions(participants),
                };
            } finally {
                await Promise.all(participants.map(({ target }) => target.stop()));
            }
        },
    };

    /** All servers run at the same time; only one receives load. */
    async function takeTurns(
        participants: readonly Participant[],
        context: BenchmarkContext,
    ): Promise<SamplesByPeer> {
        const samplesByPeer = new Map<string, Sample[]>(
            participants.map(({ peer }) => [peer.name, []]),
        );
        for (let turn = 1; turn <= turns; turn += 1) {
            for (const participant of participants) {
                const { name } = participant.peer;
                context.showProgress(`${title}: turn ${turn} of ${turns}, ${name}`);
                samplesByPeer.get(name)?.push(await run(participant, seconds, context));
            }
        }
        return samplesByPeer;
    }

    async function run(
        participant: Participant,
        length: number,
        { cores, signal }: BenchmarkContext,
    ): Promise<Sample> {
        const { url, headers, pid } = participant.target;
        const { bodiesFile } = participant;
        const load = { url, headers, bodiesFile, connections, core: cores.generator, server: pid };
        const sample = await options.generator({ ...load, seconds: length }, signal);
        await waitUntilIdle(pid, MAX_IDLE_WAIT_SECONDS, signal);
        return sample;
    }
}

/** Starts the service first, since some peers send a copy of its answer, and then the peers. */
async function startParticipants(
    { id, service, peers, workload }: Comparison,
    context: BenchmarkContext,
    participants: Participant[],
): Promise<string[]> {
    const { resources, cores, showProgress } = context;
    const bodies = requestBodies(workload);
    const own = { ...resources, core: cores.server };
    const answer = await addParticipant(service, await service.start(own));
    const notes: string[] = [];
    for (const peer of peers) {
        const join = async (): Promise<void> => {
            await addParticipant(peer, await peer.start({ ...own, answer }));
        };
        notes.push(...(await runIfAvailable(peer, context, join)));
    }
    return notes;

    async function addParticipant(peer: Peer, target: Target): Promise<Buffer> {
        showProgress(`${id}: filling ${peer.name}`);
        const requests = bodies.slice(0, peer.maxEntries);
        const name = `${id}-${requests.length}`;
        const json = requests.map((body) => body.json);
        const bodiesFile = writeBodies(resources.processes.folder, name, json);
        try {
            if (!peer.sendsFixedBytes) await fill(target, requests, workload.dimensions);
            const first = await post(target, requests[0]?.json ?? "");
            participants.push({ peer, target, bodiesFile });
            return first;
        } catch (error) {
            await target.stop();
            throw error;
        }
    }
}

function evaluate(
    { service, peers, floors }: Comparison,
    samplesByPeer: SamplesByPeer,
): Pick<BenchmarkResult, "peers" | "floors"> {
    const reference = samplesByPeer.get(peers[0]?.name ?? "");
    return {
        peers: [...samplesByPeer].map(([name, samples]) => peerResult(name, samples, reference)),
        floors: [
            ...floors.flatMap((floor) => floor(samplesByPeer) ?? []),
            noFailures(samplesByPeer.get(service.name) ?? []),
        ],
    };
}

function versions(participants: readonly Participant[]): Pick<BenchmarkResult, "versions"> {
    const pairs = participants.map(({ peer, target }) => [peer.name, target.version] as const);
    return { versions: Object.fromEntries(pairs) };
}

const PERCENTILES = ["p50", "p90", "p95", "p99", "p999", "max"] as const;

function peerResult(
    name: string,
    samples: readonly Sample[],
    reference: readonly Sample[] | undefined,
): PeerResult {
    const of = (pick: (sample: Sample) => number): number => median(samples.map(pick));
    const rates = samples.map(({ rate }) => rate);
    const others = reference?.map(({ rate }) => rate);
    const latency = Object.fromEntries(
        PERCENTILES.map((percentile) => [percentile, of((sample) => sample.latency[percentile])]),
    ) as unknown as Quantiles;
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
