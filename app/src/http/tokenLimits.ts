import type { TokenCounter } from "../upstream/upstream.ts";
import { wrongField } from "./error.ts";
import {
    itemName,
    MAX_REQUEST_TOKENS,
    MAX_TOKENS,
    tooManyTokens,
    type EmbeddingRequest,
} from "./request.ts";

/** @returns undefined when the request is too short to be over a limit, as nearly all are */
export type TokenLimits = (request: EmbeddingRequest) => Promise<void> | undefined;

/**
 * Limits of OpenAI's contract on texts. A token has at least one byte, so only what is longer in bytes
 * than its limit in tokens is counted.
 *
 * @param count undefined where the upstream's own limits are all that is known
 */
export function tokenLimits(count: TokenCounter | undefined): TokenLimits {
    if (count === undefined) return () => undefined;
    return (request) => {
        const bytes = request.inputs.map((input) =>
            input.kind === "text" ? Buffer.byteLength(input.text) : input.ids.length,
        );
        const all = bytes.reduce((sum, one) => sum + one, 0);
        const whole = all > MAX_REQUEST_TOKENS;
        if (!whole && bytes.every((one) => one <= MAX_TOKENS)) return undefined;
        return check(request, bytes, whole);
    };

    /** What cannot be counted is the upstream's to refuse. */
    function countOf(text: string): Promise<number> {
        return count?.(text, MAX_TOKENS).catch(() => 0) ?? Promise.resolve(0);
    }

    /** @throws HttpError (rejection) */
    async function check(
        request: EmbeddingRequest,
        bytes: readonly number[],
        whole: boolean,
    ): Promise<void> {
        let sum = 0;
        for (const [index, input] of request.inputs.entries()) {
            const long = (bytes[index] ?? 0) > MAX_TOKENS;
            if (input.kind === "tokens") sum += input.ids.length;
            else if (whole || long) {
                const tokens = await countOf(input.text);
                if (tokens > MAX_TOKENS) {
                    throw tooManyTokens(itemName(request, index));
                }
                sum += tokens;
            }
            if (sum > MAX_REQUEST_TOKENS) {
                const message = `${request.field} has more than ${MAX_REQUEST_TOKENS} tokens; allowed: at most ${MAX_REQUEST_TOKENS} a request`;
                throw wrongField(request.field, message, "max_tokens_per_request");
            }
        }
    }
}
