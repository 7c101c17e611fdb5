import { request } from "undici";

import { litellmLocal, litellmRedis } from "../peers/litellm.ts";
import { nginx } from "../peers/nginx.ts";
import type { Contestant, Peer } from "../peers/peer.ts";
import { portkey } from "../peers/portkey.ts";
import { ours } from "../peers/service/service.ts";
import type { Fact } from "../report/finding.ts";
import { listingText, requestJson, type Encoding } from "../workload.ts";
import { post, wrongVector, type Embeddings } from "./fill.ts";
import { floorResult } from "./floors.ts";
import { invite, type Trial } from "./trial.ts";

const ID = "answers";
const TITLE = "what is answered, and what it costs upstream";
/** A body of 100 kB: more than a proxy's buffer, far less than what OpenAI takes. */
const LONG = { texts: 125, sentences: 9 } as const;

/** Correctness beside speed: each probe is the symptom of a fault that caches are known for. */
export const probes: Trial = {
    id: ID,
    title: TITLE,
    peers: [litellmRedis, litellmLocal, portkey, nginx],
    run: async (bench) => {
        const { ground, cores } = bench;
        const facts: Fact[] = [];
        const notes: string[] = [];
        const versions: Record<string, string> = {};
        for (const peer of [ours, ...probes.peers] as readonly Peer[]) {
            bench.say(`${TITLE}: ${peer.name}`);
            const takePart = async (): Promise<void> => {
                const answer = Buffer.alloc(0);
                const contestant = await peer.start({ ...ground, core: cores.server, answer });
                try {
                    facts.push({ peer: peer.name, ...(await probe(contestant, ground.upstream)) });
                    versions[peer.name] = contestant.version;
                } finally {
                    await contestant.stop();
                }
            };
            notes.push(...(await invite(peer, bench, takePart)));
        }
        return {
            ...{ id: ID, title: TITLE, setting: {}, standings: [], facts, notes, versions },
            floors: [floorResult(FAILED_PROBES, faultsOf(facts[0] ?? {}))],
        };
    },
};

const FAILED_PROBES = {
    what: "probes that this service fails = 0",
    limit: 0,
    direction: "most",
    unit: "probes",
} as const;

const RIGHT: Fact = {
    vectors: "right",
    mixed: "right",
    "items of a,b,a": 2,
    "items of float": 0,
    "usage of a hit": "told apart",
    "100 kB": "right",
};

function faultsOf(fact: Fact): number {
    return Object.entries(RIGHT).filter(([name, value]) => fact[name] !== value).length;
}

/** Texts that no other trial asks for, new ones for each contestant. */
let next = 500_000;

function freshText(): string {
    next += 1;
    return listingText(next);
}

async function probe(contestant: Contestant, upstream: URL): Promise<Fact> {
    const [a, b, c, d] = [freshText(), freshText(), freshText(), freshText()];

    async function ask(texts: readonly string[], encoding: Encoding = "base64"): Promise<Asked> {
        const before = await itemsAsked(upstream);
        const answer = await post(contestant, requestJson(texts, { encoding, dimensions: 1536 }));
        return {
            answer,
            right: wrongVector(answer, texts) === undefined,
            upstream: (await itemsAsked(upstream)) - before,
        };
    }

    const miss = await ask([a]);
    const hit = await ask([a]);
    const float = await ask([a], "float");
    const repeated = await ask([b, c, b]);
    const mixed = await ask([a, d, c]);
    const long = [await ask(longBatch()), await ask(longBatch())];
    return {
        vectors: verdict([miss, hit, float]),
        mixed: verdict([repeated, mixed]),
        "items of a,b,a": repeated.upstream,
        "items of float": float.upstream,
        "usage of a hit": usage(hit.answer),
        "100 kB": verdict(long),
    };
}

interface Asked {
    readonly answer: Buffer;
    readonly right: boolean;
    /** Items that the upstream was asked for meanwhile. */
    readonly upstream: number;
}

function verdict(asked: readonly Asked[]): string {
    return asked.every(({ right }) => right) ? "right" : "WRONG";
}

function longBatch(): string[] {
    return Array.from({ length: LONG.texts }, () =>
        Array.from({ length: LONG.sentences }, freshText).join(". "),
    );
}

/** Whether an answer out of a cache says that nothing was billed for it. */
function usage(answer: Buffer): string {
    const { usage: told } = JSON.parse(answer.toString("utf8")) as Embeddings;
    const cached = told?.prompt_tokens_details?.cached_tokens ?? 0;
    return cached > 0 && cached === told?.prompt_tokens ? "told apart" : "as billed";
}

async function itemsAsked(upstream: URL): Promise<number> {
    const { body } = await request(new URL("/counts", upstream));
    return ((await body.json()) as { items: number }).items;
}
