import { setTimeout as wait } from "node:timers/promises";

import type { Log } from "../../log.ts";
import { cosine, MIN_SAME_VECTOR_COSINE } from "../../vector/cosine.ts";
import { PROBE, type Endpoint } from "./endpoint.ts";

/** Other endpoints that serve the model. */
export interface Fallbacks {
    /** @returns the first fallback that is available now */
    readonly findAvailable: () => Endpoint | undefined;
    /** Whether it has not been compared with the primary yet. */
    readonly isUnverified: (endpoint: Endpoint) => boolean;
    readonly start: () => void;
    readonly stop: () => void;
    readonly statusOf: (endpoint: Endpoint) => FallbackStatus;
}

/** `unknown`: neither compared nor used so far. */
export type FallbackStatus = "verified" | "unverified" | "rejected" | "unknown";

/** The primary's vector of the probe text, stored for pods that start while the primary is unavailable. */
export interface ReferenceStore {
    /**
     * @returns undefined if none is stored
     * @throws Error if that is unknown
     */
    readonly read: () => Promise<Float32Array | undefined>;
    readonly write: (vector: Float32Array) => Promise<void>;
}

export interface FallbacksOptions {
    readonly primary: Endpoint;
    readonly others: readonly Endpoint[];
    readonly reference: ReferenceStore;
    /** Called if a fallback that was used unverified has different vectors. */
    readonly onRejected: () => void;
    readonly log: Log;
}

const RETRY_MILLISECONDS = 30_000;
const TIMEOUT_MILLISECONDS = 10_000;
/** Redis may become reachable shortly after the start. */
const REFERENCE_ATTEMPTS = 5;
const REFERENCE_PAUSE_MILLISECONDS = 500;

/**
 * Vectors of another model are not comparable with cached ones, and nobody would notice. Therefore a
 * fallback's vector is compared with the primary's first, or with one that an earlier pod has stored. If
 * there is neither, the configuration is trusted, so that the service stays available. Vectors of such a
 * fallback are not shared, and are removed if the primary turns out to disagree.
 */
export function createFallbacks(options: FallbacksOptions): Fallbacks {
    const { primary, others, reference, onRejected, log } = options;
    const statuses = new Map<Endpoint, FallbackStatus>();
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;

    const statusOf = (endpoint: Endpoint): FallbackStatus => statuses.get(endpoint) ?? "unknown";

    async function verify(): Promise<void> {
        const open = others.filter((one) => ["unknown", "unverified"].includes(statusOf(one)));
        if (open.length === 0) return;
        const expected = await findReference();
        for (const endpoint of open) {
            const vector = await probe(endpoint);
            if (vector) setStatus(endpoint, expected && cosine(expected, vector));
        }
        const isDecided = others.every((one) => ["verified", "rejected"].includes(statusOf(one)));
        if (!isDecided && !stopped) {
            timer = setTimeout(startVerification, RETRY_MILLISECONDS).unref();
        }
    }

    function startVerification(): void {
        verify().catch((error: unknown) => {
            log.error({ error: String(error) }, "Fallbacks could not be compared");
        });
    }

    function setStatus(endpoint: Endpoint, likeness: number | undefined): void {
        const before = statusOf(endpoint);
        const details = { endpoint: endpoint.name, likeness };
        if (likeness === undefined) {
            statuses.set(endpoint, "unverified");
            if (before === "unknown") {
                log.warn(details, "A fallback is in use before it was compared with the primary");
            }
        } else if (likeness >= MIN_SAME_VECTOR_COSINE) {
            statuses.set(endpoint, "verified");
            log.info(details, "A fallback serves the same vectors");
        } else {
            statuses.set(endpoint, "rejected");
            log.error(details, "A fallback has different vectors and is not used");
            if (before === "unverified") onRejected();
        }
    }

    async function findReference(): Promise<Float32Array | undefined> {
        const vector = await probe(primary);
        if (!vector) return readReference();
        await reference.write(vector).catch((error: unknown) => {
            log.debug({ error: String(error) }, "The primary's vector could not be stored");
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
        findAvailable: () =>
            others.find(
                (one) => ["verified", "unverified"].includes(statusOf(one)) && one.isAvailable(),
            ),
        isUnverified: (endpoint) => statusOf(endpoint) === "unverified",
        statusOf,
        start: startVerification,
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
