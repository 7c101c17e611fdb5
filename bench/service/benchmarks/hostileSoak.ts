import { writeBodies } from "../generators/bodies.ts";
import { oursWithRedis } from "../peers/service/service.ts";
import { startUpstream } from "../upstream/start.ts";
import { requestBodies } from "../workload.ts";
import { NORMAL_TEXTS } from "./attacks/kinds.ts";
import { attack, type AttackReport } from "./attacks/start.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import { steadyLoad, type SteadySample } from "./steadyLoad.ts";
import type { Bench, Trial } from "./trial.ts";

const USERS = 200;
const RATE = 1_000;
const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: NORMAL_TEXTS } as const;
const ID = "hostile-soak";
/** Of the attackers' requests: the normal ones, whose vectors are compared. */
const HARMLESS = ["normal"];
/** Of the time: normal traffic alone, which the rest is compared with. */
const ALONE_SHARE = 0.25;
/** Caches are full by then; code is compiled and heaps find their size. Not counted. */
const SETTLING_SECONDS = 10;
/** docs/service/performance.md states the arithmetic. */
const MOST_RESIDENT_MIB = 1_024;

interface Phase {
    readonly sample: SteadySample;
    readonly attacked: AttackReport;
}

/** Normal traffic with and without hostile requests beside it, in one run. */
export function hostileSoak(seconds: number): Trial {
    const title = `${RATE} requests/s for ${seconds} s, the last ${100 * (1 - ALONE_SHARE)} % with hostile requests`;
    return { id: ID, title, peers: [], run: (bench) => run(bench, title, seconds) };
}

async function run(bench: Bench, title: string, seconds: number): ReturnType<Trial["run"]> {
    const { ground, cores } = bench;
    const { processes } = ground;
    // What it works at is what attackers ask for: with normal traffic's hits it has nothing to do.
    const upstream = await startUpstream(processes, { core: cores.generator, idle: true });
    const service = await oursWithRedis.start({
        ...ground,
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
        /** @param attacks none: all of them */
        const phase = async (
            name: string,
            length: number,
            attacks?: readonly string[],
        ): Promise<Phase> => {
            const whole = Math.max(1, Math.round(length));
            const load = { name, rate: RATE, connections: USERS, seconds: whole, bodiesFile };
            const [sample, attacked] = await Promise.all([
                steadyLoad(bench, service, load),
                attack(bench, service, whole, attacks),
            ]);
            return { sample, attacked };
        };
        await phase("settling", SETTLING_SECONDS, HARMLESS);
        const alone = await phase("normal", seconds * ALONE_SHARE, HARMLESS);
        const beside = await phase("normal beside hostile", seconds * (1 - ALONE_SHARE));
        const both = [alone, beside];
        const sum = (count: (phase: Phase) => number): number =>
            both.reduce((all, one) => all + count(one), 0);
        return {
            ...{ id: ID, title, standings: [], notes: notes(beside.attacked), versions: {} },
            setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
            facts: [fact("normal", alone.sample), fact("normal beside hostile", beside.sample)],
            floors: [
                most(
                    "p99 beside hostile ÷ p99 without",
                    2,
                    "×",
                    beside.sample.latency.p99 / alone.sample.latency.p99,
                ),
                most(
                    "failed requests of others = 0",
                    0,
                    "requests",
                    sum(({ sample }) => sample.failed),
                ),
                most(
                    "wrong vectors = 0",
                    0,
                    "requests",
                    sum(({ attacked }) => attacked.wrongVectors),
                ),
                most("restarts = 0", 0, "restarts", service.ended() ? 1 : 0),
                most(
                    `resident memory ≤ ${MOST_RESIDENT_MIB} MiB`,
                    MOST_RESIDENT_MIB,
                    "MiB",
                    Math.max(...beside.sample.residentMib),
                ),
            ],
        };
    } finally {
        await service.stop();
        await upstream.running.stop();
    }
}

function most(
    what: string,
    limit: number,
    unit: "×" | "requests" | "restarts" | "MiB",
    measured: number,
): ReturnType<typeof floorResult> {
    return floorResult({ what, limit, unit, direction: "most" }, measured);
}

function fact(
    phase: string,
    { rate, latency, failed, residentMib }: SteadySample,
): Record<string, string | number> {
    return {
        phase,
        "requests/s": rate,
        ...{ "p50 ms": latency.p50, "p99 ms": latency.p99, "max ms": latency.max },
        ...{ failed, "most MiB": Math.max(...residentMib) },
    };
}

/** What each attack was answered, so that one that never arrived is seen. */
function notes({ byAttack }: AttackReport): string[] {
    return Object.entries(byAttack).map(([name, counts]) => {
        const answers = Object.entries(counts).map(([status, count]) => `${count} × ${status}`);
        return `${name}: ${answers.join(", ")}`;
    });
}
