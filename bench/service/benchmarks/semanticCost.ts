import { HEADERS } from "@property-search/contract";

import { localModel, modelDirectory } from "../peers/service/localModel.ts";
import { median } from "../report/statistics.ts";
import type { Benchmark } from "./benchmark.ts";
import { atLeast, noFailures } from "./floors.ts";
import { measureInRounds, rateRatio } from "./rounds.ts";

const MIN_RATIO = 0.95;
const ID = "semantic-cost";
const TITLE = "cost of semantic reuse: exact hits while it is on, and off";

const KINDS = ["on, semantic mode", "on, exact mode", "off"] as const;

/** Exact hits need no lookup: what is measured is the choice of the mode, and counting them. */
export const semanticCost: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [localModel],
    run: async (context) => {
        const { setting, samples } = await measureInRounds(context, {
            ...{ id: ID, title: TITLE, kinds: KINDS, variant: "without semantic reuse" },
            settings: { semanticMode: "optIn", modelDirectory: modelDirectory() },
            targetOf: (kind, { service, other }) => {
                const { url, headers } = kind === "off" ? other : service;
                const mode = kind === "on, exact mode" ? "exact" : "semantic";
                return { url, headers: { ...headers, [HEADERS.cacheMode]: mode } };
            },
        });
        const floor = (mode: "semantic" | "exact") =>
            atLeast(
                `hits/s in ${mode} mode, ≥ ${MIN_RATIO} × off`,
                MIN_RATIO,
                "×",
                rateRatio(samples, `on, ${mode} mode`, "off"),
            );
        return {
            setting,
            facts: KINDS.map((kind) => ({
                service: kind,
                "req/s": median(samples[kind].map(({ rate }) => rate)),
                "p99 ms": median(samples[kind].map(({ latency }) => latency.p99)),
                ratio: rateRatio(samples, kind, "off"),
            })),
            floors: [floor("semantic"), floor("exact"), noFailures(Object.values(samples).flat())],
        };
    },
};
