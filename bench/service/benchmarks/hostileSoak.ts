import { DEFAULT_SETTINGS, mostMebibytes } from "@property-search/contract/settings";

import { oursWithRedis } from "../peers/service/service.ts";
import { MODEL } from "../upstream/vectors.ts";
import { startUpstream } from "../upstream/start.ts";
import { requestBodies } from "../workload.ts";
import { ATTACKS, HARMLESS, NORMAL_TEXTS } from "./attacks/kinds.ts";
import { attack, type AttackReport } from "./attacks/start.ts";
import { fill } from "./fill.ts";
import { atMost, noFailures } from "./floors.ts";
import { steadyLoad, type SteadySample } from "./steadyLoad.ts";
import {
    loadOn,
    withService,
    type Benchmark,
    type BenchmarkContext,
    type Measurement,
} from "./benchmark.ts";

const USERS = 200;
const RATE = 1_000;
const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: NORMAL_TEXTS } as const;
const ID = "hostile-soak";
/** Shares of the time: normal traffic alone, as the baseline; beside one kind of attack after the other; beside all. */
const SHARES = { baseline: 0.25, single: 0.25, all: 0.5 };
/** A p99 of fewer seconds would be that of a few requests. */
const LEAST_SECONDS_OF_ATTACK = 5;
/** Not measured: caches fill, code is compiled, heaps grow to their size. */
const WARM_UP_SECONDS = 10;
/** What such a pod may take at most (docs/service/limits.md), as the program requires of its memory limit. */
const MAX_RESIDENT_MIB = mostMebibytes({ ...DEFAULT_SETTINGS, provider: "openai", model: MODEL });

interface Phase {
    readonly sample: SteadySample;
    readonly attacked: AttackReport;
}

/** Normal traffic without hostile requests, beside each kind of them, and beside all kinds at once, in one run. */
export function hostileSoak(seconds: number): Benchmark {
    const title = `${RATE} requests/s for ${seconds} s, half of them beside all kinds of hostile requests`;
    return { id: ID, title, peers: [], run: (context) => run(context, seconds) };
}

async function run(context: BenchmarkContext, seconds: number): Promise<Measurement> {
    const { processes } = context.resources;
    // Only attackers reach the upstream: the normal traffic consists of hits.
    const upstream = await startUpstream(processes, { core: context.cores.generator, idle: true });
    const resources = { ...context.resources, upstream: upstream.url };
    try {
        return await withService(oursWithRedis, { ...context, resources }, async (service) => {
            const bodies = requestBodies(WORKLOAD);
            await fill(service, bodies, WORKLOAD.dimensions);
            const json = bodies.map((body) => body.json);
            const measure = async (
                name: string,
                length: number,
                attacks: readonly string[],
            ): Promise<Phase> => {
                const rounded = Math.max(1, Math.round(length));
                const load = loadOn(service, context, ID, json, {
                    connections: USERS,
                    seconds: rounded,
                });
                const [sample, attacked] = await Promise.all([
                    steadyLoad(context, name, RATE, load),
                    attack(context, service, rounded, [HARMLESS, ...attacks]),
                ]);
                return { sample, attacked };
            };
            await measure("warm-up", WARM_UP_SECONDS, []);
            const baseline = await measure("normal", seconds * SHARES.baseline, []);
            const each = Math.max(
                LEAST_SECONDS_OF_ATTACK,
                (seconds * SHARES.single) / ATTACKS.length,
            );
            const single: [string, Phase][] = [];
            for (const name of ATTACKS) single.push([name, await measure(name, each, [name])]);
            const mixed = await measure("all attacks", seconds * SHARES.all, ATTACKS);
            const phases: [string, Phase][] = [
                ["normal", baseline],
                ...single,
                ["all attacks", mixed],
            ];
            const samples = phases.map(([, { sample }]) => sample);
            const ratioOf = ({ sample }: Phase): number =>
                sample.latency.p99 / baseline.sample.latency.p99;
            const wrong = phases.reduce((sum, [, { attacked }]) => sum + attacked.wrongVectors, 0);
            const resident = Math.max(...samples.flatMap(({ residentMib }) => residentMib));
            const worst = Math.max(...single.map(([, phase]) => ratioOf(phase)));
            const limit = MAX_RESIDENT_MIB;
            return {
                notes: notes(mixed.attacked),
                setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
                facts: phases.map(([name, { sample }]) => fact(name, sample)),
                floors: [
                    atMost("p99 beside any one attack ÷ p99 without ≤ 2", 2, "×", worst),
                    atMost("p99 beside all attacks ÷ p99 without ≤ 2", 2, "×", ratioOf(mixed)),
                    noFailures(samples),
                    atMost("wrong vectors = 0", 0, "requests", wrong),
                    atMost("restarts = 0", 0, "restarts", service.hasEnded() ? 1 : 0),
                    atMost(`resident memory ≤ ${limit} MiB`, limit, "MiB", resident),
                ],
            };
        });
    } finally {
        await upstream.running.stop();
    }
}

function fact(
    beside: string,
    { rate, latency, failed, residentMib }: SteadySample,
): Record<string, string | number> {
    return {
        beside,
        "requests/s": rate,
        ...{ "p50 ms": latency.p50, "p99 ms": latency.p99, "max ms": latency.max },
        ...{ failed, "max MiB": Math.max(...residentMib) },
    };
}

/** Answers to each attack; an attack that never reached the service has none. */
function notes({ byAttack }: AttackReport): string[] {
    return Object.entries(byAttack).map(([name, counts]) => {
        const answers = Object.entries(counts).map(([status, count]) => `${count} × ${status}`);
        return `${name}: ${answers.join(", ")}`;
    });
}
