import { writeBodies } from "../generators/bodies.ts";
import { oursWithRedis } from "../peers/service/service.ts";
import { startUpstream } from "../upstream/start.ts";
import { requestBodies } from "../workload.ts";
import { NORMAL_TEXTS } from "./attacks/kinds.ts";
import { attack, type AttackReport } from "./attacks/start.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import { steadyLoad, type SteadySample } from "./steadyLoad.ts";
import type { BenchmarkContext, Benchmark } from "./benchmark.ts";

const USERS = 200;
const RATE = 1_000;
const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: NORMAL_TEXTS } as const;
const ID = "hostile-soak";
/** Attacks that send normal requests, whose vectors are checked. */
const HARMLESS = ["normal"];
/** Share of the time with normal traffic alone, as the baseline. */
const BASELINE_SHARE = 0.25;
/** Not measured: caches fill, code is compiled, heaps grow to their size. */
const WARM_UP_SECONDS = 10;
/** Derived in docs/service/performance.md. */
const MAX_RESIDENT_MIB = 1_024;

interface Phase {
    readonly sample: SteadySample;
    readonly attacked: AttackReport;
}

/** Normal traffic without hostile requests, and then with them, in one run. */
export function hostileSoak(seconds: number): Benchmark {
    const title = `${RATE} requests/s for ${seconds} s, the last ${100 * (1 - BASELINE_SHARE)} % with hostile requests`;
    return { id: ID, title, peers: [], run: (context) => run(context, title, seconds) };
}

async function run(
    context: BenchmarkContext,
    title: string,
    seconds: number,
): ReturnType<Benchmark["run"]> {
    const { resources, cores } = context;
    const { processes } = resources;
    // Only attackers reach the upstream: the normal traffic consists of hits.
    const upstream = await startUpstream(processes, { core: cores.generator, idle: true });
    const service = await oursWithRedis.start({
        ...resources,
        upstream: upstream.url,
        core: cores.server,
    });
    try {
        const bodies = requestBodies(WORKLOAD);
        await fill(service, bodies, WORKLOAD.dimensions);
        const bodiesFile = writeBodies(
            processes.folder,
            ID,
            bodies.map(({ json }) => json),
        );
        /** @param attacks if omitted, all of them */
        const phase = async (
            name: string,
            length: number,
            attacks?: readonly string[],
        ): Promise<Phase> => {
            const rounded = Math.max(1, Math.round(length));
            const load = { name, rate: RATE, connections: USERS, seconds: rounded, bodiesFile };
            const [sample, attacked] = await Promise.all([
                steadyLoad(context, service, load),
                attack(context, service, rounded, attacks),
            ]);
            return { sample, attacked };
        };
        await phase("warm-up", WARM_UP_SECONDS, HARMLESS);
        const baseline = await phase("normal", seconds * BASELINE_SHARE, HARMLESS);
        const mixed = await phase("normal with hostile", seconds * (1 - BASELINE_SHARE));
        const both = [baseline, mixed];
        const sum = (count: (phase: Phase) => number): number =>
            both.reduce((all, one) => all + count(one), 0);
        return {
            ...{ id: ID, title, peers: [], notes: notes(mixed.attacked), versions: {} },
            setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
            facts: [fact("normal", baseline.sample), fact("normal with hostile", mixed.sample)],
            floors: [
                maxFloor(
                    "p99 with hostile ÷ p99 without",
                    2,
                    "×",
                    mixed.sample.latency.p99 / baseline.sample.latency.p99,
                ),
                maxFloor(
                    "failed normal requests = 0",
                    0,
                    "requests",
                    sum(({ sample }) => sample.failed),
                ),
                maxFloor(
                    "wrong vectors = 0",
                    0,
                    "requests",
                    sum(({ attacked }) => attacked.wrongVectors),
                ),
                maxFloor("restarts = 0", 0, "restarts", service.hasEnded() ? 1 : 0),
                maxFloor(
                    `resident memory ≤ ${MAX_RESIDENT_MIB} MiB`,
                    MAX_RESIDENT_MIB,
                    "MiB",
                    Math.max(...mixed.sample.residentMib),
                ),
            ],
        };
    } finally {
        await service.stop();
        await upstream.running.stop();
    }
}

function maxFloor(
    description: string,
    limit: number,
    unit: "×" | "requests" | "restarts" | "MiB",
    measured: number,
): ReturnType<typeof floorResult> {
    return floorResult({ description, limit, unit, direction: "max" }, measured);
}

function fact(
    phase: string,
    { rate, latency, failed, residentMib }: SteadySample,
): Record<string, string | number> {
    return {
        phase,
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
