import { request } from "undici";

import { litellmLocal, litellmRedis } from "../peers/litellm.ts";
import { nginx } from "../peers/nginx.ts";
import type { Target, Peer } from "../peers/peer.ts";
import { portkey } from "../peers/portkey.ts";
import { ours } from "../peers/service/service.ts";
import type { Fact } from "../report/result.ts";
import { listingText, requestJson, type Encoding } from "../workload.ts";
import { post, vectorError, type Embeddings } from "./fill.ts";
import { atMost } from "./floors.ts";
import { runIfAvailable, type Benchmark } from "./benchmark.ts";

const ID = "answers";
const TITLE = "correctness of answers, and their upstream cost";
/** A body of 100 kB: more than a proxy's buffer, far less than OpenAI's limit. */
const LONG = { texts: 125, sentences: 9 } as const;

/** Each probe detects a known fault of caches. */
export const probes: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [litellmRedis, litellmLocal, portkey, nginx],
    run: async (context) => {
        const { resources, cores } = context;
        const facts: Fact[] = [];
        const notes: string[] = [];
        const versions: Record<string, string> = {};
        for (const peer of [ours, ...probes.peers] as readonly Peer[]) {
            context.showProgress(`${TITLE}: ${peer.name}`);
            const measure = async (): Promise<void> => {
                const answer = Buffer.alloc(0);
                const target = await peer.start({ ...resources, core: cores.server, answer });
                try {
                    facts.push({ peer: peer.name, ...(await probe(target, resources.upstream)) });
                    versions[peer.name] = target.version;
                } finally {
                    await target.stop();
                }
            };
            notes.push(...(await runIfAvailable(peer, context, measure)));
        }
        return {
            ...{ setting: {}, facts, notes, versions },
            floors: [
                atMost(
                    "failed probes of this service = 0",
                    0,
                    "probes",
                    countFailures(facts[0] ?? {}),
                ),
            ],
        };
    },
};

const EXPECTED: Fact = {
    vectors: "correct",
    mixed: "correct",
    "items of a,b,a": 2,
    "items of float": 0,
    "usage of a hit": "cached",
    "100 kB": "correct",
};

function countFailures(fact: Fact): number {
    return Object.entries(EXPECTED).filter(([name, value]) => fact[name] !== value).length;
}

/** Texts that no other benchmark uses, new ones for each target. */
let next = 500_000;

function newText(): string {
    next += 1;
    return listingText(next);
}

async function probe(target: Target, upstream: URL): Promise<Fact> {
    const [a, b, c, d] = [newText(), newText(), newText(), newText()];

    async function send(
        texts: readonly string[],
        encoding: Encoding = "base64",
    ): Promise<Exchange> {
        const before = await countUpstreamItems(upstream);
        const answer = await post(target, requestJson(texts, { encoding, dimensions: 1536 }));
        return {
            answer,
            isCorrect: vectorError(answer, texts) === undefined,
            upstream: (await countUpstreamItems(upstream)) - before,
        };
    }

    const miss = await send([a]);
    const hit = await send([a]);
    const float = await send([a], "float");
    const repeated = await send([b, c, b]);
    const mixed = await send([a, d, c]);
    const long = [await send(longBatch()), await send(longBatch())];
    return {
        vectors: correctness([miss, hit, float]),
        mixed: correctness([repeated, mixed]),
        "items of a,b,a": repeated.upstream,
        "items of float": float.upstream,
        "usage of a hit": tokensOfHit(hit.answer),
        "100 kB": correctness(long),
    };
}

interface Exchange {
    readonly answer: Buffer;
    readonly isCorrect: boolean;
    /** Items that the upstream received for it. */
    readonly upstream: number;
}

function correctness(exchanges: readonly Exchange[]): string {
    return exchanges.every(({ isCorrect }) => isCorrect) ? "correct" : "WRONG";
}

function longBatch(): string[] {
    return Array.from({ length: LONG.texts }, () =>
        Array.from({ length: LONG.sentences }, newText).join(". "),
    );
}

/** Whether a cached answer marks its tokens as cached, that is, as not billed. */
function tokensOfHit(answer: Buffer): string {
    const { usage } = JSON.parse(answer.toString("utf8")) as Embeddings;
    const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
    return cached > 0 && cached === usage?.prompt_tokens ? "cached" : "as billed";
}

async function countUpstreamItems(upstream: URL): Promise<number> {
    const { body } = await request(new URL("/counts", upstream));
    return ((await body.json()) as { items: number }).items;
}
