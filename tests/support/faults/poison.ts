import type { Colour } from "@property-search/contract";
import { dot, embed, type GatewayClient } from "../../../operations/gateway/client.ts";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

/** What a colour has answered for a text that nobody else knew, and so has written into the Redis of both. */
export interface Written {
    readonly text: string;
    readonly vector: readonly number[];
}

export interface Poison {
    /** Texts for which the candidate has written another vector than its model's. */
    readonly lies: number;
    /** Of these, how many the candidate is served from Redis: they are there to be found. */
    readonly found: number;
    /** Of these, for how many the other colour answers that vector, or anything but the model's. */
    readonly served: number;
    /** Where the other colour has its answers from, by the kinds of the x-cache header. */
    readonly sources: Readonly<Record<string, number>>;
}

const PAUSE_MILLISECONDS = 30;
/** Cosines of two vectors of one text: by one model, and by one that is broken. */
const SAME = 0.999;
const OTHER = 0.9;

/** Has a colour embed new texts, one after the other, until that is settled. */
export async function writtenBy(
    at: GatewayClient,
    colour: Colour,
    until: Promise<unknown>,
): Promise<readonly Written[]> {
    const over = new AbortController();
    void until.finally(() => over.abort());
    const written: Written[] = [];
    while (!over.signal.aborted) {
        const text = `semi-detached house near the river, ${randomUUID()}`;
        written.push({ text, vector: await vectorOf(at, text, colour) });
        await delay(PAUSE_MILLISECONDS);
    }
    return written;
}

/** Asks both colours for what one of them has written. */
export async function poisonOf(
    at: GatewayClient,
    written: readonly Written[],
    { candidate, other }: Readonly<Record<"candidate" | "other", Colour>>,
): Promise<Poison> {
    const sources: Record<string, number> = {};
    let [lies, found, served] = [0, 0, 0];
    for (const { text, vector } of written) {
        // The model knows no capitals, the cache does: the same vector, by a key that the candidate never saw.
        const right = await vectorOf(at, text.toUpperCase(), other);
        if (dot(vector, right) > OTHER) continue;
        lies += 1;
        const again = await embed(at, [text], candidate);
        if (again.cache.includes("HIT-L2")) found += 1;
        const answer = await embed(at, [text], other);
        if (dot(answer.vectors[0] ?? [], right) < SAME) served += 1;
        for (const source of answer.cache) sources[source] = (sources[source] ?? 0) + 1;
    }
    return { lies, found, served, sources };
}

async function vectorOf(
    at: GatewayClient,
    text: string,
    colour: Colour,
): Promise<readonly number[]> {
    const { vectors } = await embed(at, [text], colour);
    return vectors[0] ?? [];
}
