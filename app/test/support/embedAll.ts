import { pino } from "pino";

import type { Input } from "../../src/input.ts";
import type { RequestContext } from "../../src/requestContext.ts";
import { withBatching, type CallUpstream } from "../../src/upstream/batching/batching.ts";
import { createCallSizes, type CallSizes } from "../../src/upstream/batching/callSize.ts";
import {
    noEvents,
    UpstreamError,
    type InputOutcome,
    type Upstream,
} from "../../src/upstream/upstream.ts";
import type { Embedding } from "../../src/vector/embedding.ts";

const log = pino({ level: "silent" });

/** Outcomes of the inputs, in order; each has exactly one. */
export async function outcomesOf(
    { embed }: Pick<Upstream, "embed">,
    inputs: readonly Input[],
    context: RequestContext,
): Promise<readonly InputOutcome[]> {
    const outcomes: InputOutcome[] = [];
    await embed(inputs, context, (places, reported) => {
        for (const [at, place] of places.entries()) {
            const outcome = reported[at];
            if (outcome === undefined || place in outcomes || !(place in inputs)) {
                throw new Error(`Input ${place} has another outcome, or none`);
            }
            outcomes[place] = outcome;
        }
    });
    if (Object.keys(outcomes).length !== inputs.length) throw new Error("Outcomes are missing");
    return outcomes;
}

/** @throws UpstreamError of the first input that failed */
export async function embedAll(
    upstream: Pick<Upstream, "embed">,
    inputs: readonly Input[],
    context: RequestContext,
): Promise<readonly Embedding[]> {
    return (await outcomesOf(upstream, inputs, context)).map((outcome) => {
        if (outcome instanceof UpstreamError) throw outcome;
        return outcome;
    });
}

export const sizesUpTo = (items: number): CallSizes =>
    createCallSizes({ items, bytes: 1024 * 1024, fastMilliseconds: 1_000, log });

const isAlwaysAllowed: (tenant: string) => boolean = () => true;

/** An upstream with production's batching and this concurrency. */
export function batchedUpstream(
    call: CallUpstream,
    { limit = 64, sizes = sizesUpTo(256), mayRepeat = isAlwaysAllowed } = {},
): Pick<Upstream, "embed" | "state"> {
    const concurrency = {
        limit: () => limit,
        onSuccess: () => undefined,
        onOverload: () => undefined,
    };
    return withBatching(call, { concurrency, sizes, events: noEvents, mayRepeat });
}
