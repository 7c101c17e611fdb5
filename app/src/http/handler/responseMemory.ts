import { turns, type Call } from "../../upstream/roundRobin.ts";
import { overloaded } from "../protocol/requestBody.ts";
import { byteBudget, type ByteHold } from "../../memory/byteBudget.ts";
import type { Encoding } from "../protocol/embeddingRequest.ts";

/** Memory of all responses whose vectors are being resolved; a larger response gets all of it. */
export const MAX_BYTES_IN_THE_MAKING = 128 * 1024 * 1024;
/** The vector itself, and its form in a response. */
const VECTOR_BYTES = 4;
const FORM_BYTES = { base64: 16 / 3, float: 16 } as const;

/** Queue of responses with many vectors that wait for memory, fair among tenants. */
export interface AnswerRoom {
    /**
     * @param deadline in milliseconds of `performance.now()`
     * @throws HttpError (rejection) if no memory is available until the deadline
     */
    readonly enter: (call: Call, bytes: number, deadline: number) => Promise<ByteHold>;
}

/** @returns the approximate size of a response with its vectors */
export function answerBytes(vectors: number, dimensions: number, encoding: Encoding): number {
    return Math.ceil(vectors * dimensions * (VECTOR_BYTES + FORM_BYTES[encoding]));
}

interface Waiter {
    readonly bytes: number;
    readonly enter: (hold: ByteHold) => void;
    isGone: boolean;
}

export function answerRoom(maxBytes = MAX_BYTES_IN_THE_MAKING): AnswerRoom {
    const budget = byteBudget(maxBytes);
    const waiting = turns<Waiter>();
    /** Already removed from `waiting`; the others are behind it. */
    let first: Waiter | undefined;

    function admit(): void {
        for (;;) {
            first ??= waiting.next();
            if (!first) return;
            if (!first.isGone) {
                if (budget.held() + first.bytes > maxBytes) return;
                first.enter(take(first.bytes));
            }
            first = undefined;
        }
    }

    function take(bytes: number): ByteHold {
        const hold = budget.open(() => undefined);
        hold.keep();
        hold.grow(bytes);
        return {
            ...hold,
            release: () => {
                hold.release();
                admit();
            },
        };
    }

    return {
        enter: ({ tenant }, wanted, deadline) => {
            const { promise, resolve, reject } = Promise.withResolvers<ByteHold>();
            const waiter: Waiter = {
                bytes: Math.min(wanted, maxBytes),
                enter: (hold) => {
                    clearTimeout(late);
                    resolve(hold);
                },
                isGone: false,
            };
            const late = setTimeout(() => {
                waiter.isGone = true;
                reject(overloaded());
            }, deadline - performance.now());
            waiting.add({ tenant }, waiter);
            admit();
            return promise;
        },
    };
}
