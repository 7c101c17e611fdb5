import type { TokenCounter } from "../../upstream/upstream.ts";
import { invalidFieldError } from "../protocol/error.ts";
import {
    inputName,
    MAX_REQUEST_TOKENS,
    MAX_TOKENS,
    tooManyTokensError,
    type EmbeddingRequest,
} from "../protocol/embeddingRequest.ts";

/** @returns undefined for requests that are too short to exceed a limit, as nearly all are */
export type CheckTokenLimits = (request: EmbeddingRequest) => Promise<void> | undefined;

/**
 * Token limits of OpenAI's API. A token has at least one byte, so only inputs with more bytes than the limit
 * are counted.
 *
 * @param count undefined if only the upstream can count tokens
 */
export function createTokenLimitsCheck(count: TokenCounter | undefined): CheckTokenLimits {
    if (count === undefined) return () => undefined;
    return (request) => {
        const bytes = request.inputs.map((input) =>
            input.kind === "text" ? Buffer.byteLength(input.text) : input.ids.length,
        );
        const all = bytes.reduce((sum, one) => sum + one, 0);
        const checksSum = all > MAX_REQUEST_TOKENS;
        if (!checksSum && bytes.every((one) => one <= MAX_TOKENS)) return undefined;
        return check(request, bytes, checksSum);
    };

    /** If counting fails, the upstream decides. */
    function countTokens(text: string): Promise<number> {
        return count?.(text, MAX_TOKENS).catch(() => 0) ?? Promise.resolve(0);
    }

    /** @throws HttpError (rejection) */
    async function check(
        request: EmbeddingRequest,
        bytes: readonly number[],
        checksSum: boolean,
    ): Promise<void> {
        let sum = 0;
        for (const [index, input] of request.inputs.entries()) {
            const isLong = (bytes[index] ?? 0) > MAX_TOKENS;
            if (input.kind === "tokens") sum += input.ids.length;
            else if (checksSum || isLong) {
                const tokens = await countTokens(input.text);
                if (tokens > MAX_TOKENS) {
                    throw tooManyTokensError(inputName(request, index));
                }
                sum += tokens;
            }
            if (sum > MAX_REQUEST_TOKENS) {
                const message = `${request.field} has more than ${MAX_REQUEST_TOKENS} tokens; allowed: at most ${MAX_REQUEST_TOKENS} per request`;
                throw invalidFieldError(request.field, message, "max_tokens_per_request");
            }
        }
    }
}
