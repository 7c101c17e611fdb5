/** Sends a stream through the running service, and compares what it does with the simulation of the same stream. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

import { ADMIN_PREFIX, HEADERS, METRICS, PATHS } from "@property-search/contract";

import { normaliseText } from "../../app/src/key/normalise.ts";
import { dot } from "../../app/src/semantic/linear.ts";
import { MIN_SAME_VECTOR_COSINE } from "../../app/src/vector/cosine.ts";
import { localModel, modelDirectory } from "../service/peers/service/localModel.ts";
import { serviceFrom } from "../service/peers/service/service.ts";
import { freePort } from "../service/processes/network.ts";
import { createProcesses } from "../service/processes/processes.ts";
import { startRedis } from "../service/processes/redis.ts";
import { BenchError } from "../shared/benchError.ts";
import { chooseCores } from "../shared/machine.ts";
import { seededRandom } from "../shared/random.ts";
import type { Corpus, Place } from "./corpus.ts";
import { ours } from "./policies/ours.ts";
import type { CreatePolicy } from "./policies/policy.ts";
import { simulate, type Outcome } from "./simulate.ts";
import { createStream, type StreamName } from "./streams.ts";

export interface ThroughServiceOptions {
    readonly stream: StreamName;
    readonly requests: number;
    /** Of the stream; those after it are of the audits of further simulations. */
    readonly seed: number;
    /** δ. */
    readonly budget: number;
}

/** A response of the service: HIT, SEMANTIC, MISS, or audit, a MISS that its metrics count as one. */
interface Observed {
    readonly outcome: string;
    readonly vector: Float32Array;
}

const NOTHING: Observed = { outcome: "nothing", vector: new Float32Array() };

/** What the service says about itself at the end. */
interface Report {
    readonly minCosine: number;
    /** Counts of its metrics. */
    readonly audits: number;
    readonly tokens: number;
}

const ENTRY = path.join(import.meta.dirname, "throughServiceProcess.ts");
const ADMIN_TOKEN = "not-a-secret-since-only-this-machine-reaches-it";
const UNKNOWN_TEXT = "a text by which the dimensions become known";
const WAIT_SECONDS = 120;
/** Simulations with other audits, whose spread is that of one more in 19 of 20 cases. */
const OTHER_RUNS = 19;
/** Standard deviations below which 0.999 of a binomial distribution are. */
const DEVIATIONS = 3.09;
const PER_CENT = 100;

/** @throws BenchError if the service and the simulation differ */
export async function evaluateThroughService(
    corpus: Corpus,
    { stream: name, requests, seed, budget }: ThroughServiceOptions,
): Promise<string> {
    const { requests: drawn } = createStream(name, corpus, requests, seededRandom(seed));
    // The service embeds and compares normalised texts.
    const places = drawn.filter(
        (place) => normaliseText(corpus.text(place)) === corpus.text(place),
    );
    const { observed, report } = await observe(corpus, places, budget);
    const stream = { requests: places, measureFrom: 0 };
    const run = (create: CreatePolicy, random: () => number): Outcome =>
        simulate(corpus, stream, create({ corpus, minCosine: undefined, budget, random }), NaN);
    const differences: string[] = [];
    const followed = run(follow(observed, differences), Math.random);
    const others = Array.from({ length: OTHER_RUNS }, (_, at) =>
        run(ours({ answer: "interpolate" }), seededRandom(seed + 1 + at)),
    );
    const paidPlaces = places.filter((_, at) => isPaid(observed[at] ?? NOTHING));
    const tokens = paidPlaces.reduce((sum, place) => sum + countTokens(corpus.text(place)), 0);
    const rows = (["served", "wrong", "audits", "paid"] as const).map((figure) => {
        const values = others.map((other) => other[figure]);
        const [least, most] = [Math.min(...values), Math.max(...values)];
        const deviation = (count: number): number =>
            DEVIATIONS * Math.sqrt(Math.max(1, count) * (1 - count / places.length));
        const isWithin =
            followed[figure] >= least - deviation(least) &&
            followed[figure] <= most + deviation(most);
        return { figure, service: followed[figure], least, most, isWithin };
    });
    const faults = [
        ...differences,
        ...rows.filter(({ isWithin }) => !isWithin).map(({ figure }) => `${figure} is not within`),
        ...unequal("ρ", report.minCosine, followed.minCosine),
        ...unequal("audits", report.audits, followed.audits),
        ...unequal("tokens", report.tokens, tokens),
    ];
    const error = (PER_CENT * followed.wrong) / followed.served;
    const text = [
        `${corpus.name}, ${name}: ${places.length} requests, δ ${budget}, ρ ${report.minCosine}`,
        ...rows.map(
            ({ figure, service, least, most }) =>
                `${figure}: ${service}; ${OTHER_RUNS} simulations: ${least} to ${most}`,
        ),
        `wrong per answer: ${error.toFixed(2)} %; billed tokens: ${report.tokens}`,
        `requests that the simulation resolves differently: ${differences.length}`,
    ].join("\n");
    if (faults.length > 0) throw new BenchError(`${text}\n${faults.join("\n")}`);
    return text;
}

function isPaid({ outcome }: Observed): boolean {
    return outcome === "MISS" || outcome === "audit";
}

function unequal(name: string, service: number, simulated: number): readonly string[] {
    return service === simulated ? [] : [`${name} is ${service}, simulated: ${simulated}`];
}

/**
 * The simulation with the service's own audits, of which chance decides, and its answers. Notes what differs. From 1,000
 * vectors on, chance also decides which of them are the documents of the calibration.
 */
function follow(observed: readonly Observed[], differences: string[]): CreatePolicy {
    return (context) => {
        let at = -1;
        const current = (): Observed => observed[at] ?? NOTHING;
        const random = (): number => (current().outcome === "audit" ? 0 : 1 - Number.EPSILON);
        const own = ours({ answer: "interpolate" })({ ...context, random });
        const note = (simulated: string, cosine = 1): void => {
            const { outcome } = current();
            if (outcome === simulated && cosine >= MIN_SAME_VECTOR_COSINE) return;
            differences.push(
                `request ${at}: ${outcome}, simulated: ${simulated}, cosine ${cosine.toFixed(5)}`,
            );
        };
        return {
            ...own,
            onExact: () => {
                at += 1;
                note("HIT");
                own.onExact?.();
            },
            answer: (miss) => {
                at += 1;
                const { outcome, vector } = current();
                const answer = own.answer(miss);
                if (answer) note("SEMANTIC", dot(answer, vector));
                else note(own.isAudit?.() === true ? "audit" : "MISS");
                return outcome === "SEMANTIC" ? vector : undefined;
            },
        };
    };
}

function countTokens(text: string): number {
    return text.split(" ").length;
}

/** The stub bills words as tokens. */
async function startUpstream(corpus: Corpus) {
    const places = Array.from({ length: corpus.size }, (_, place) => place);
    const vectors = new Map(places.map((place) => [corpus.text(place), corpus.truth(place)]));
    const server = createServer((request, response) => {
        void json(request).then((body) => {
            const { input } = body as { input: readonly string[] };
            const data = input.map((text, index) => ({
                index,
                embedding: Array.from(vectors.get(text) ?? corpus.truth(0)),
            }));
            const tokens = input.reduce((sum, text) => sum + countTokens(text), 0);
            const usage = { prompt_tokens: tokens, total_tokens: tokens };
            response.writeHead(200, { "content-type": "application/json" });
            response.end(JSON.stringify({ data, usage }));
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
        url: new URL(`http://127.0.0.1:${port}/v1`),
        stop: () => server.close().closeAllConnections(),
    };
}

/** Sends the texts one after the other to the service in a process of its own, with a real Redis. */
async function observe(corpus: Corpus, places: readonly Place[], budget: number) {
    const processes = createProcesses();
    const { server: core, generator } = chooseCores();
    const upstream = await startUpstream(corpus);
    try {
        await localModel.install(() => undefined);
        const redis = await startRedis(processes, generator);
        const adminPort = String(await freePort());
        const { url } = await serviceFrom(ENTRY, {}, "service", "with semantic reuse", () => ({
            model: corpus.name,
            upstreamApiKey: "a-key",
            redisUrl: redis.href,
            modelDirectory: modelDirectory(),
            semanticMode: "optIn",
            semanticErrorBudget: String(budget),
            adminToken: ADMIN_TOKEN,
            adminPort,
        })).start({ processes, core, redis, upstream: upstream.url });
        const admin = `http://127.0.0.1:${adminPort}${ADMIN_PREFIX}/semantic`;
        return await send(url.origin, admin, places.map(corpus.text));
    } finally {
        processes.killAll();
        upstream.stop();
    }
}

async function send(url: string, admin: string, texts: readonly string[]) {
    const count = async (series: string): Promise<number> => {
        const metrics = await (await fetch(url + PATHS.metrics)).text();
        const found = [...metrics.matchAll(new RegExp(`^${series} (\\S+)$`, "gm"))];
        return found.reduce((sum, [, value]) => sum + Number(value), 0);
    };
    const countAudits = () => count(`${METRICS.semanticLookups}{outcome="audited"}`);
    const countBilled = () => count(`${METRICS.tokensBilled}{.*purpose="(?:request|audit)".*}`);
    const post = async (mode: string, text: string) => {
        const response = await fetch(url + PATHS.embed, {
            method: "POST",
            headers: { [HEADERS.cacheMode]: mode },
            body: JSON.stringify({ texts: [text] }),
        });
        const { embeddings } = (await response.json()) as { embeddings: [number[]] };
        const source = response.headers.get(HEADERS.cache) ?? "none";
        const vector = Float32Array.from(embeddings[0]);
        return { outcome: source.replace(/^HIT.*/, "HIT"), vector };
    };
    const callAdmin = async (more: string, body?: object): Promise<unknown> => {
        const response = await fetch(admin + more, {
            headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
            ...(body && { method: "POST", body: JSON.stringify(body) }),
        });
        return response.ok ? response.json() : undefined;
    };
    /** The layer learns after the response, and what it answers next depends on it. */
    const isLearned = async (text: string): Promise<boolean> => {
        const found = await callAdmin("/inspect", { input: text });
        const { key, neighbours = [] } = (found ?? {}) as Inspected;
        return neighbours.some((one) => one.key === key);
    };

    await until("the model is loaded", async () => (await count(METRICS.semanticUp)) === 1);
    await post("exact", UNKNOWN_TEXT);
    const tokensBefore = await countBilled();
    const observed: Observed[] = [];
    let audits = 0;
    for (const text of texts) {
        const answer = await post("semantic", text);
        const before = audits;
        if (isPaid(answer)) {
            audits = await countAudits();
            await until(`"${text}" is learned`, () => isLearned(text));
        }
        observed.push(audits > before ? { ...answer, outcome: "audit" } : answer);
    }
    const paid = observed.filter(isPaid).length;
    let minCosine = NaN;
    await until("the state is reported", async () => {
        const { namespaces } = (await callAdmin("")) as { namespaces: readonly State[] };
        minCosine = namespaces[0]?.minCosine ?? NaN;
        return namespaces[0]?.entries === paid;
    });
    const tokens = (await countBilled()) - tokensBefore;
    return { observed, report: { minCosine, audits, tokens } satisfies Report };
}

interface Inspected {
    readonly key?: string;
    readonly neighbours?: readonly { readonly key: string }[];
}

interface State {
    readonly entries: number;
    readonly minCosine: number;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WAIT_SECONDS * 1000;
    while (!(await isSo())) {
        if (performance.now() > deadline) throw new BenchError(`${what}: not so in time`);
        await wait(1);
    }
}
