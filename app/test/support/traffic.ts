import { CACHE_STATUSES, PATHS, type CacheStatus } from "@property-search/contract";

import { eventually } from "./eventually.ts";
import type { Service } from "./service.ts";
import { trueVector } from "./vectors.ts";

/** Continuous requests; each response is compared with E. */
export interface Traffic {
    /** Responses and items by status so far. */
    readonly count: (of: "answers" | CacheStatus) => number;
    /** Waits for this many more of them. */
    readonly more: (of: "answers" | CacheStatus, number?: number) => Promise<void>;
    readonly stop: () => Promise<Report>;
}

export interface Report {
    readonly answers: number;
    /** Responses other than 200 with the correct vectors; the first few. */
    readonly wrong: readonly string[];
    readonly slowestMilliseconds: number;
}

const CLIENTS = 4;
const VOCABULARY = 60;
const LARGEST_BATCH = 6;

/**
 * Clients that request single texts and batches, from a small vocabulary and, one time in ten, a new text.
 */
export function traffic(...services: readonly Service[]): Traffic {
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    let slowest = 0;
    let fresh = 0;
    let stopped = false;
    const clients = services.flatMap((service) =>
        Array.from({ length: CLIENTS }, () => client(service)),
    );

    async function client(service: Service): Promise<void> {
        while (!stopped) {
            const length = 1 + Math.floor(Math.random() * LARGEST_BATCH);
            const texts = Array.from({ length }, text);
            const begun = performance.now();
            const fault = await ask(service, texts).catch(String);
            slowest = Math.max(slowest, performance.now() - begun);
            add("answers");
            if (fault !== undefined && wrong.length < 5) wrong.push(fault);
        }
    }

    function text(): string {
        if (Math.random() < 0.1) return `new ${(fresh += 1)} ${performance.now()}`;
        return `text ${Math.floor(Math.random() * VOCABULARY)}`;
    }

    async function ask(service: Service, texts: readonly string[]): Promise<string | undefined> {
        const { status, json, text: body } = await service.post(PATHS.embed, { texts });
        if (status !== 200) return `${status} ${body}`;
        const { embeddings, cache } = json as { embeddings: number[][]; cache: CacheStatus[] };
        for (const one of cache) add(one);
        return texts.find((one, index) => {
            const truth = trueVector(one);
            const given = embeddings[index] ?? [];
            return truth.some((number, at) => number !== Math.fround(given[at] ?? NaN));
        });
    }

    function add(what: string): void {
        counts.set(what, count(what) + 1);
    }

    function count(of: string): number {
        return counts.get(of) ?? 0;
    }

    return {
        count,
        more: async (of, number = 1) => {
            const wanted = count(of) + number;
            const seen = () =>
                CACHE_STATUSES.map((status) => `${status} ${count(status)}`).join(", ");
            await eventually(`${number} more ${of} (${seen()})`, () => count(of) >= wanted);
        },
        stop: async () => {
            stopped = true;
            await Promise.all(clients);
            return { answers: count("answers"), wrong, slowestMilliseconds: slowest };
        },
    };
}
