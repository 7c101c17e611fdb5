import type { Log } from "../../log.ts";
import type { Endpoint } from "./endpoint.ts";

/** Other places that serve the model, once they have shown that they do. */
export interface Fallbacks {
    /** The first that may answer now. */
    readonly first: () => Endpoint | undefined;
    readonly start: () => void;
    readonly stop: () => void;
}

/** Two endpoints of one vector space differ by rounding only. */
const LEAST_COSINE = 0.9999;
const PROBE = {
    kind: "text",
    text: "Two-bedroom flat near the park, third floor, no lift.",
} as const;
const RETRY_MILLISECONDS = 30_000;
const TIMEOUT_MILLISECONDS = 10_000;

/**
 * A vector of another model compares with nothing that is cached, and nobody would notice. So an
 * endpoint is used only after it gave the primary's vector for the same text.
 */
export function fallbacks(primary: Endpoint, others: readonly Endpoint[], log: Log): Fallbacks {
    const verified = new Set<Endpoint>();
    const refused = new Set<Endpoint>();
    let timer: NodeJS.Timeout | undefined;

    async function verify(): Promise<void> {
        const open = others.filter((one) => !verified.has(one) && !refused.has(one));
        if (open.length === 0) return;
        const truth = await probe(primary);
        for (const endpoint of open) {
            const vector = truth && (await probe(endpoint));
            if (!vector) continue;
            const likeness = cosine(truth, vector);
            if (likeness >= LEAST_COSINE) {
                verified.add(endpoint);
                log.info(
                    { endpoint: endpoint.name, likeness },
                    "A fallback serves the same vectors",
                );
            } else {
                refused.add(endpoint);
                log.error(
                    { endpoint: endpoint.name, likeness },
                    "A fallback has other vectors: not used",
                );
            }
        }
        if (verified.size + refused.size < others.length) {
            timer = setTimeout(() => void verify(), RETRY_MILLISECONDS).unref();
        }
    }

    return {
        first: () => others.find((one) => verified.has(one) && one.closed()),
        start: () => void verify(),
        stop: () => clearTimeout(timer),
    };
}

async function probe(endpoint: Endpoint): Promise<Float32Array | undefined> {
    const deadline = performance.now() + TIMEOUT_MILLISECONDS;
    const wish = { dimensions: undefined, length: undefined, deadline };
    const outcome = await endpoint.attempt([PROBE], wish);
    const [embedding] = "error" in outcome ? [] : outcome.value;
    return embedding?.vector;
}

function cosine(a: Float32Array, b: Float32Array): number {
    if (a.length !== b.length) return 0;
    let [dot, aa, bb] = [0, 0, 0];
    for (let at = 0; at < a.length; at += 1) {
        const [x, y] = [a[at] ?? 0, b[at] ?? 0];
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    return dot / Math.sqrt(aa * bb);
}
