import { createRoundRobinQueue, type Call } from "../../threads/roundRobin.ts";
import { overloadedError } from "../protocol/requestBody.ts";
import { createByteBudget, type ByteReservation } from "../../memory/byteBudget.ts";
import type { Encoding } from "../protocol/embeddingRequest.ts";

/** Memory of all responses whose vectors are being resolved; a larger response gets all of it. */
export const MAX_BYTES_IN_PROGRESS = 128 * 1024 * 1024;
/** The vector itself, and its form in a response. */
const VECTOR_BYTES = 4;
const FORM_BYTES = { base64: 16 / 3, float: 16 } as const;

/** Queue of responses with many vectors that wait for memory, fair among tenants. */
export interface ResponseMemory {
    /**
     * @param deadline in milliseconds of `performance.now()`
     * @throws HttpError (rejection) if no memory is available until the deadline
     */
    readonly reserve: (call: Call, bytes: number, deadline: number) => Promise<ByteReservation>;
}

/** @returns the approximate size of a response with its vectors */
export function estimateResponseBytes(
    vectors: number,
    dimensions: number,
    encoding: Encoding,
): number {
    return Math.ceil(vectors * dimensions * (VECTOR_BYTES + FORM_BYTES[encoding]));
}

interface Waiter {
    readonly bytes: number;
    readonly grant: (reservation: ByteReservation) => void;
    isTimedOut: boolean;
}

export function createResponseMemory(maxBytes = MAX_BYTES_IN_PROGRESS): ResponseMemory {
    const budget = createByteBudget(maxBytes);
    const waiting = createRoundRobinQueue<Waiter>();
    /** Already removed from `waiting`; the others are behind it. */
    let first: Waiter | undefined;

    function admit(): void {
        for (;;) {
            first ??= waiting.next();
            if (!first) return;
            if (!first.isTimedOut) {
                if (budget.reservedBytes() + first.bytes > maxBytes) return;
                first.grant(createReservation(first.bytes));
            }
            first = undefined;
        }
    }

    function createReservation(bytes: number): ByteReservation {
        const reservation = budget.reserve(() => undefined);
        reservation.pin();
        reservation.grow(bytes);
        return {
            ...reservation,
            release: () => {
                reservation.release();
                admit();
            },
        };
    }

    return {
        reserve: ({ tenant }, requestedBytes, deadline) => {
            const { promise, resolve, reject } = Promise.withResolvers<ByteReservation>();
            const waiter: Waiter = {
                bytes: Math.min(requestedBytes, maxBytes),
                grant: (reservation) => {
                    clearTimeout(timeout);
                    resolve(reservation);
                },
                isTimedOut: false,
            };
            const timeout = setTimeout(() => {
                waiter.isTimedOut = true;
                reject(overloadedError());
            }, deadline - performance.now());
            waiting.add({ tenant }, waiter);
            admit();
            return promise;
        },
    };
}
