import { closedLoop } from "../generators/wrk.ts";
import type { Sample } from "../generators/sample.ts";
import { startABServers, type ABServers, type Variant } from "../peers/service/abServers.ts";
import type { Settings } from "../peers/service/service.ts";
import type { BenchmarkResult } from "../report/result.ts";
import { pairedRatio } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { loadOn, type BenchmarkContext } from "./benchmark.ts";
import { fill } from "./fill.ts";

/** Hits: the cheapest requests, in which the share of a small cost is largest. */
const WORKLOAD = {
    dimensions: 1536,
    encoding: "base64",
    items: 1,
    bodies: 1_024,
} as const;
const CONNECTIONS = 64;
/** Rounds are short and many, so that disturbances affect all variants of a round alike. */
export const SECONDS = 1;
const ROUNDS = 50;
const WARM_UP_ROUNDS = 4;

export type Rounds<Kind extends string> = Readonly<Record<Kind, readonly Sample[]>>;

interface Variants<Kind extends string> {
    readonly id: string;
    readonly title: string;
    readonly kinds: readonly Kind[];
    /** Served beside the service as it is. */
    readonly variant: Variant;
    readonly settings?: Settings;
    readonly targetOf: (kind: Kind, servers: ABServers) => ABServers["other"];
    /** Runs beside the load. */
    readonly during?: (kind: Kind, servers: ABServers) => Promise<void>;
}

/** Measures each kind once a round; another one is the first in the next round. */
export async function measureInRounds<Kind extends string>(
    context: BenchmarkContext,
    { id, title, kinds, variant, settings, targetOf, during }: Variants<Kind>,
): Promise<Pick<BenchmarkResult, "setting"> & { readonly samples: Rounds<Kind> }> {
    const { resources, cores, signal, showProgress } = context;
    const servers = await startABServers({ ...resources, core: cores.server }, variant, settings);
    const bodies = requestBodies(WORKLOAD);
    const load = loadOn(
        servers.service,
        context,
        id,
        bodies.map(({ json }) => json),
        { connections: CONNECTIONS, seconds: SECONDS },
    );
    const samples = Object.fromEntries(kinds.map((kind) => [kind, [] as Sample[]])) as Record<
        Kind,
        Sample[]
    >;
    try {
        await fill(servers.service, bodies, WORKLOAD.dimensions);
        for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
            showProgress(`${title}: round ${round + 1} of ${ROUNDS}`);
            const first = (round + WARM_UP_ROUNDS) % kinds.length;
            for (const kind of [...kinds.slice(first), ...kinds.slice(0, first)]) {
                const [sample] = await Promise.all([
                    closedLoop({ ...load, ...targetOf(kind, servers) }, signal),
                    during?.(kind, servers),
                ]);
                if (round >= 0) samples[kind].push(sample);
            }
        }
    } finally {
        await servers.service.stop();
    }
    return {
        setting: { ...WORKLOAD, connections: CONNECTIONS, seconds: SECONDS, rounds: ROUNDS },
        samples,
    };
}

/** Requests per second of a kind by those of another one. */
export const rateRatio = <Kind extends string>(
    samples: Rounds<Kind>,
    kind: Kind,
    other: Kind,
): number =>
    pairedRatio(
        samples[kind].map(({ rate }) => rate),
        samples[other].map(({ rate }) => rate),
    );
