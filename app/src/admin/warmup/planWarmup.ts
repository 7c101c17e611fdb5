import type { KeyOf } from "../../key/key.ts";
import { estimateTokens } from "../../upstream/estimateTokens.ts";
import type { Cost, Price } from "./budget.ts";
import { TEXTS_PER_CALL } from "./job.ts";
import type { Line } from "./texts.ts";

/** Estimate of an upload, compared with the caches. */
export interface Estimate extends Cost {
    readonly lines: number;
    /** Lines equal to an earlier line. */
    readonly duplicates: number;
    readonly cached: number;
    readonly missing: number;
}

export interface WarmupPlanDependencies {
    readonly keyOf: KeyOf;
    /** @returns the keys that a cache holds */
    readonly findCached: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
    readonly price: Price;
}

const LOOKUP_BATCH_SIZE = 256;

/** Yields each uncached line once. The estimate is complete when the lines have ended. */
export function planWarmup(
    lines: AsyncIterable<Line>,
    { keyOf, findCached, price }: WarmupPlanDependencies,
): { readonly missing: AsyncGenerator<Line, void>; readonly estimate: () => Estimate } {
    const seen = new Set<string>();
    const sum = { lines: 0, cached: 0, missing: 0, tokens: 0 };

    async function* missing(): AsyncGenerator<Line, void> {
        let pending = new Map<string, Line>();
        for await (const line of lines) {
            sum.lines += 1;
            const key = keyOf({ kind: "text", text: line.text }, undefined);
            if (seen.has(key)) continue;
            seen.add(key);
            pending.set(key, line);
            if (pending.size < LOOKUP_BATCH_SIZE) continue;
            yield* await lookUp(pending);
            pending = new Map();
        }
        yield* await lookUp(pending);
    }

    async function lookUp(pending: ReadonlyMap<string, Line>): Promise<readonly Line[]> {
        const cached = await findCached([...pending.keys()]);
        const absent = Array.from(pending).flatMap(([key, line]) =>
            cached.has(key) ? [] : [line],
        );
        sum.cached += pending.size - absent.length;
        sum.missing += absent.length;
        for (const { text } of absent) sum.tokens += estimateTokens(text);
        return absent;
    }

    return {
        missing: missing(),
        estimate: () => ({
            ...sum,
            duplicates: sum.lines - seen.size,
            dollars:
                sum.missing > 0 ? price(sum.tokens, Math.ceil(sum.missing / TEXTS_PER_CALL)) : 0,
        }),
    };
}
