import { setTimeout as wait } from "node:timers/promises";

import type { Log } from "../../log.ts";
import { cosine, LEAST_COSINE_OF_SAME } from "../../vector/cosine.ts";
import type { Endpoint } from "./endpoint.ts";

/** Other places that serve the model. */
export interface Fallbacks {
    /** The first that may answer now. */
    readonly first: () => Endpoint | undefined;
    /** It was not compared with the primary yet. */
    readonly isUnverified: (endpoint: Endpoint) => boolean;
    readonly start: () => void;
    readonly stop: () => void;
    readonly standingOf: (endpoint: Endpoint) => Standing;
}

/** `unknown`: neither compared nor needed so far. */
export type Standing = "verified" | "unverified" | "refused" | "unknown";

/** The primary's vector of the probe, kept for pods that start while the primary is down. */
export interface ReferenceStore {
    /** @returns undefined where nobody has kept one. @throws Error where that cannot be told */
    readonly read: () => Promise<Float32Array | undefined>;
    readonly write: (vector: Float32Array) => Promise<void>;
}

export interface FallbacksOptions {
    readonly primary: Endpoint;
    readonly others: readonly Endpoint[];
    readonly reference: ReferenceStore;
    /** A fallback that was used unverified has other vectors. */
    readonly onRefuted: () => void;
    readonly log: Log;
}

const PROBE = {
    kind: "text",
    text: "Two-bedroom flat near the park, third floor, no lift.",
} as const;
const RETRY_MILLISECONDS = 30_000;
const TIMEOUT_MILLISECONDS = 10_000;
/** Redis may be reached a moment after the start. */
const REFERENCE_ATTEMPTS = 5;
const REFERENCE_PAUSE_MILLISECONDS = 500;

/**
 * A vector of another model compares with nothing that is cached, and nobody would notice. So an endpoint
 * is compared with the primary first: with its answer, or with the one that an earlier pod kept. Where
 * there is neither, the configuration's word counts: a service with a sound fallback answers. What such a
 * fallback gives is not shared, and is forgotten if the primary turns out to disagree.
 */
export function fallbacks(options: FallbacksOptions): Fallbacks {
    const { primary, others, reference, onRefuted, log } = options;
    const standings = new Map<Endpoint, Standing>();
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;

    const standingOf = (endpoint: Endpoint): Standing => standings.get(endpoint) ?? "unknown";

    async function verify(): Promise<void> {
        const open = others.filter((one) => ["unknown", "unverified"].includes(standingOf(one)));
        if (open.length === 0) return;
        const truth = await findTruth();
        for (const endpoint of open) {
            const vector = await probe(endpoint);
            if (vector) judge(endpoint, truth && cosine(truth, vector));
        }
        const isDecided = others.every((one) => ["verified", "refused"].includes(standingOf(one)));
        if (!isDecided && !stopped) {
            timer = setTimeout(begin, RETRY_MILLISECONDS).unref();
        }
    }

    function begin(): void {
        verify().catch((error: unknown) => {
            log.error({ error: String(error) }, "Fallbacks could not be compared");
        });
    }

    function judge(endpoint: Endpoint, likeness: number | undefined): void {
        const before = standingOf(endpoint);
        const details = { endpoint: endpoint.name, likeness };
        if (likeness === undefined) {
            standings.set(endpoint, "unverified");
            if (before === "unknown") {
                log.warn(details, "A fallback is used before it was compared with the primary");
            }
        } else if (likeness >= LEAST_COSINE_OF_SAME) {
            standings.set(endpoint, "verified");
            log.info(details, "A fallback serves the same vectors");
        } else {
            standings.set(endpoint, "refused");
            log.error(details, "A fallback has other vectors: not used");
            if (before === "unverified") onRefuted();
        }
    }

    async function findTruth(): Promise<Float32Array | undefined> {
        const vector = await probe(primary);
        if (!vector) return readReference();
        await reference.write(vector).catch((error: unknown) => {
            log.debug({ error: String(error) }, "The primary's vector could not be kept");
        });
        return vector;
    }

    async function readReference(): Promise<Float32Array | undefined> {
        for (let attempt = 1; attempt <= REFERENCE_ATTEMPTS && !stopped; attempt += 1) {
            try {
                return await reference.read();
            } catch {
                await wait(REFERENCE_PAUSE_MILLISECONDS, undefined, { ref: false });
            }
        }
        return undefined;
    }

    return {
        first: () =>
            others.find(
                (one) => ["verified", "unverified"].includes(standingOf(one)) && one.isAvailable(),
            ),
        isUnverified: (endpoint) => standingOf(endpoint) === "unverified",
        standingOf,
        start: begin,
        stop: () => {
            stopped = true;
            clearTimeout(timer);
        },
    };
}

async function probe(endpoint: Endpoint): Promise<Float32Array | undefined> {
    const deadline = performance.now() + TIMEOUT_MILLISECONDS;
    const outcome = await endpoint.attempt([PROBE], { dimensions: undefined, deadline });
    const [embedding] = "error" in outcome ? [] : outcome.value;
    return embedding?.vector;
}
