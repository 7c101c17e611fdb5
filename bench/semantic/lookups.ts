/** Measures lookups of semantic reuse and their memory: node --expose-gc bench/semantic/lookups.ts --help */
import { hash } from "node:crypto";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { Command } from "commander";

import { loadEncoder } from "../../app/src/reuse/thread/encoder.ts";
import { createSpace } from "../../app/src/reuse/thread/space.ts";
import { compileRules } from "../../app/src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../app/src/semantic/defaultRules.ts";
import { dot } from "../../app/src/semantic/linear.ts";
import { wallClock } from "../../app/src/clock.ts";
import { createNeighbourIndex } from "../../app/src/semantic/neighbourIndex.ts";
import { filesIn } from "../../app/src/upstream/local/modelFiles.ts";
import { seededRandom } from "../shared/random.ts";
import { runToEnd } from "../shared/runToEnd.ts";
import { DEFAULT_DATA, EVALUATED_TEXTS, readDataSets } from "./data/dataSets.ts";
import { createCachedVectors } from "./vectors/cachedVectors.ts";
import { SIGNATURE_MODEL } from "./vectors/models.ts";

interface Options {
    readonly data: string;
    readonly entries: string;
    readonly lookups: string;
    readonly dimensions: string;
}

const NEIGHBOURS = 16;
/** As many as the evaluation uses, whose vectors are in the cache. */
const TEXTS_PER_SET = EVALUATED_TEXTS;
/** Deviation of a synthetic signature from the real one that it is made from, as a share of its length. */
const NOISE = 0.35;
const MEBIBYTE = 1024 * 1024;

async function main(options: Options): Promise<void> {
    const [entries, lookups, dimensions] = [
        options.entries,
        options.lookups,
        options.dimensions,
    ].map(Number) as [number, number, number];
    const random = seededRandom(1);
    const sets = readDataSets(options.data, TEXTS_PER_SET);
    const texts = sets.flatMap((set) => set.texts.map(({ text }) => text));
    const signatures = await signaturesOf(
        sets.map((set) => set.texts.map(({ text }) => text)),
        entries + lookups,
        random,
    );
    measureIndex(signatures, entries, lookups);
    await measureLookups(texts, signatures, entries, lookups, dimensions, random);
}

/** Real signatures, and variations of them beyond their number. */
async function signaturesOf(
    sets: readonly (readonly string[])[],
    count: number,
    random: () => number,
): Promise<readonly Float32Array<ArrayBuffer>[]> {
    const source = createCachedVectors(SIGNATURE_MODEL, console.log);
    const real: Float32Array<ArrayBuffer>[] = [];
    for (const texts of sets) {
        const all = await source.vectorsOf(texts);
        const length = all.length / texts.length;
        texts.forEach((_, at) => real.push(all.slice(at * length, (at + 1) * length)));
    }
    const varied = Math.max(0, count - real.length);
    console.log(`${count - varied} signatures of texts, ${varied} variations of them`);
    return shuffle(
        Array.from({ length: count }, (_, at) => {
            const origin = real[at % real.length];
            if (!origin) throw new Error("There are no texts");
            return at < real.length ? origin : vary(origin, random);
        }),
        random,
    );
}

function vary(signature: Float32Array, random: () => number): Float32Array<ArrayBuffer> {
    const scale = NOISE * Math.sqrt(12 / signature.length);
    const varied = Float32Array.from(signature, (value) => value + scale * (random() - 0.5));
    return toUnit(varied);
}

function toUnit(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const length = Math.hypot(...values);
    return values.map((value) => value / length);
}

function shuffle<T>(values: T[], random: () => number): T[] {
    for (let at = values.length - 1; at > 0; at -= 1) {
        const other = Math.floor(random() * (at + 1));
        [values[at], values[other]] = [values[other] as T, values[at] as T];
    }
    return values;
}

function measureIndex(signatures: readonly Float32Array[], entries: number, lookups: number): void {
    const dimensions = signatures[0]?.length ?? 0;
    const index = createNeighbourIndex<number>(dimensions, entries);
    for (let at = 0; at < entries; at += 1)
        index.set(String(at), signatures[at] ?? new Float32Array(dimensions), at);
    const block = new Float32Array(entries * dimensions);
    for (let at = 0; at < entries; at += 1) block.set(signatures[at] ?? [], at * dimensions);
    const queries = signatures.slice(entries, entries + lookups);
    const times: Time[] = [];
    const fullTimes: Time[] = [];
    let [found, first] = [0, 0];
    for (const query of queries) {
        const timeOf = startTimer();
        const near = index.search(query, NEIGHBOURS);
        times.push(timeOf());
        const fullTimeOf = startTimer();
        const exact = searchFully(block, entries, query);
        fullTimes.push(fullTimeOf());
        const answer = near.map(({ entry }) => entry);
        found += exact.filter((place) => answer.includes(place)).length;
        if (answer[0] === exact[0]) first += 1;
    }
    print(`search of ${entries} entries`, times);
    print("the same, comparing all in full", fullTimes);
    const recall = found / (NEIGHBOURS * queries.length);
    console.log(
        `found of the ${NEIGHBOURS} nearest: ${(100 * recall).toFixed(2)} %; of the nearest: ${((100 * first) / queries.length).toFixed(2)} %`,
    );
}

function searchFully(block: Float32Array, entries: number, query: Float32Array): readonly number[] {
    const best: { place: number; cosine: number }[] = [];
    for (let place = 0; place < entries; place += 1) {
        const cosine = dot(block, query, query.length, place * query.length);
        if (best.length === NEIGHBOURS && cosine <= (best.at(-1)?.cosine ?? 0)) continue;
        let rank = best.length;
        while (rank > 0 && (best[rank - 1]?.cosine ?? 0) < cosine) rank -= 1;
        best.splice(rank, 0, { place, cosine });
        if (best.length > NEIGHBOURS) best.pop();
    }
    return best.map(({ place }) => place);
}

/** Whole lookups as in the thread: signature by the real model, search and decision. */
async function measureLookups(
    texts: readonly string[],
    signatures: readonly Float32Array<ArrayBuffer>[],
    entries: number,
    lookups: number,
    dimensions: number,
    random: () => number,
): Promise<void> {
    const fetched = await runToEnd(path.resolve(import.meta.dirname, "../../app/model/fetch.sh"));
    const encoder = await loadEncoder(filesIn(fetched.stdout.trim()));
    const rules = compileRules(DEFAULT_RULES);
    const before = await usedBytes();
    const space = createSpace({
        dimensions,
        signatureDimensions: encoder.dimensions,
        mode: "per-hit",
        budget: 0.02,
        auditShare: 0.02,
        confidence: 0.8,
        capacity: entries,
        rules: () => rules,
        random,
        now: wallClock,
    });
    const mix = Array.from({ length: dimensions }, () =>
        Float32Array.from({ length: encoder.dimensions }, () => random() - 0.5),
    );
    for (let at = 0; at < entries; at += 1) {
        const signature = signatures[at] ?? new Float32Array(encoder.dimensions);
        const text = `${texts[at % texts.length] ?? ""} ${at}`;
        const vector = toUnit(Float32Array.from(mix, (row) => Math.tanh(dot(row, signature))));
        const key = hash("sha256", text, "base64url");
        space.adopt({ text, signature, ownLoss: -2 }, { key, vector, usableUntil: Infinity });
    }
    const bytes = (await usedBytes()) - before;
    console.log(
        `memory of ${entries} entries, ${dimensions} dimensions: ${(bytes / MEBIBYTE).toFixed(0)} MiB`,
    );
    const encoding: Time[] = [];
    const deciding: Time[] = [];
    for (let at = 0; at < lookups; at += 1) {
        const text = texts[Math.floor(random() * texts.length)] ?? "";
        const encodingTimeOf = startTimer();
        const [encoded] = await encoder.encode([text]);
        if (!encoded) throw new Error("The model returned no signature");
        encoding.push(encodingTimeOf());
        const decidingTimeOf = startTimer();
        space.answer(text, encoded, at);
        deciding.push(decidingTimeOf());
    }
    print("signature by the model", encoding);
    print(`search and decision, ${entries} entries`, deciding);
    print(
        "both",
        encoding.map((one, at) => ({
            elapsed: one.elapsed + (deciding[at]?.elapsed ?? NaN),
            ofCore: one.ofCore + (deciding[at]?.ofCore ?? NaN),
        })),
    );
}

/** Garbage outside of the heap is freed a moment after its collection. */
async function usedBytes(): Promise<number> {
    for (let turn = 0; turn < 3; turn += 1) {
        (globalThis as { gc?: () => void }).gc?.();
        await wait(100);
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
}

/** In milliseconds. */
interface Time {
    readonly elapsed: number;
    /** Only a mean over many is exact: some kernels count in steps of 4 ms. */
    readonly ofCore: number;
}

function startTimer(): () => Time {
    const cpuAtStart = process.threadCpuUsage();
    const startedAt = performance.now();
    return () => {
        const elapsed = performance.now() - startedAt;
        const { user, system } = process.threadCpuUsage(cpuAtStart);
        return { elapsed, ofCore: (user + system) / 1000 };
    };
}

/** Quantiles are of the elapsed time, which contains that of other processes; the mean is that of a core. */
function print(name: string, times: readonly Time[]): void {
    const sorted = times.map(({ elapsed }) => elapsed).sort((a, b) => a - b);
    const at = (share: number): string =>
        (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(2);
    const mean = times.reduce((sum, { ofCore }) => sum + ofCore, 0) / times.length;
    console.log(
        `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms; ${mean.toFixed(2)} ms of a core on average`,
    );
}

await new Command("lookups")
    .option("--data <folder>", "folder of the public data", DEFAULT_DATA)
    .option("--entries <count>", "texts of the index", "50000")
    .option("--lookups <count>", "lookups that are measured", "1000")
    .option("--dimensions <count>", "length of an upstream vector", "384")
    .action(main)
    .parseAsync();
