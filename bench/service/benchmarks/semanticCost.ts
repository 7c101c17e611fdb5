import { HEADERS } from "@property-search/contract";

import type { Sample } from "../generators/sample.ts";
import { closedLoop } from "../generators/wrk.ts";
import { startABServers } from "../peers/service/abServers.ts";
import { localModel, modelDirectory } from "../peers/service/localModel.ts";
import { median, pairedRatio } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { atLeast, noFailures } from "./floors.ts";
import { loadOn, type Benchmark } from "./benchmark.ts";
import { CONNECTIONS, measureInRounds, ROUNDS, ROUNDS_WORKLOAD, SECONDS } from "./rounds.ts";

const MIN_RATIO = 0.95;
const TITLE = "cost of semantic reuse: exact hits while it is on, and off";

const KINDS = ["on, semantic mode", "on, exact mode", "off"] as const;
type Kind = (typeof KINDS)[number];

/** Exact hits need no lookup: what is measured is the choice of the mode, and counting them. */
export const semanticCost: Benchmark = {
    id: "semantic-cost",
    title: TITLE,
    peers: [localModel],
    run: async (context) => {
        const { resources, cores, signal } = context;
        const { service, other } = await startABServers(
            { ...resources, core: cores.server },
            "without semantic reuse",
            { semanticMode: "optIn", modelDirectory: modelDirectory() },
        );
        const bodies = requestBodies(ROUNDS_WORKLOAD);
        const json = bodies.map((body) => body.json);
        const load = loadOn(service, context, "semantic-cost", json, {
            connections: CONNECTIONS,
            seconds: SECONDS,
        });
        const semantic = { ...service.headers, [HEADERS.cacheMode]: "semantic" };
        const targets: Readonly<Record<Kind, Pick<typeof service, "url" | "headers">>> = {
            "on, semantic mode": { url: service.url, headers: semantic },
            "on, exact mode": {
                url: service.url,
                headers: { ...service.headers, [HEADERS.cacheMode]: "exact" },
            },
            off: { url: other.url, headers: semantic },
        };
        const measure = (kind: Kind): Promise<Sample> =>
            closedLoop({ ...load, ...targets[kind] }, signal);
        let samples: Readonly<Record<Kind, readonly Sample[]>>;
        try {
            await fill(service, bodies, ROUNDS_WORKLOAD.dimensions);
            samples = await measureInRounds(context, TITLE, KINDS, measure);
        } finally {
            await service.stop();
        }
        const ratioOf = (kind: Kind): number =>
            pairedRatio(
                samples[kind].map(({ rate }) => rate),
                samples.off.map(({ rate }) => rate),
            );
        return {
            setting: {
                ...ROUNDS_WORKLOAD,
                connections: CONNECTIONS,
                seconds: SECONDS,
                rounds: ROUNDS,
            },
            facts: KINDS.map((kind) => ({
                service: kind,
                "req/s": median(samples[kind].map(({ rate }) => rate)),
                "p99 ms": median(samples[kind].map(({ latency }) => latency.p99)),
                ratio: ratioOf(kind),
            })),
            floors: [
                atLeast(
                    `hits/s in semantic mode, ≥ ${MIN_RATIO} × off`,
                    MIN_RATIO,
                    "×",
                    ratioOf("on, semantic mode"),
                ),
                atLeast(
                    `hits/s in exact mode, ≥ ${MIN_RATIO} × off`,
                    MIN_RATIO,
                    "×",
                    ratioOf("on, exact mode"),
                ),
                noFailures(Object.values(samples).flat()),
            ],
        };
    },
};
