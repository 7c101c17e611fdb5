import type { Input } from "../../input.ts";
import { limitRetryAfter } from "./retry.ts";

/** Parsed error response, whatever its format. */
export interface ErrorBody {
    /** Undefined if there is no readable message. */
    readonly message: string | undefined;
    /** Codes, types and reasons. */
    readonly codes: readonly string[];
    /** The message without quotes of the inputs: the provider's own words. */
    readonly ownWords: string;
    readonly retryAfterMilliseconds: number | undefined;
}

const LONGEST_MESSAGE = 1_000;
/** Partially quoted texts are recognised by this many characters. */
const QUOTED_BEGINNING = 24;
/** A shorter text, such as "a" or "limit", may be in the provider's own words too: it must be between these. */
const UNMARKED_CHARACTERS = 8;
const QUOTATION_MARKS = ['""', "''", "``", "“”"];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses `{"error":{"message","type","code"}}` (OpenAI, Azure), the same in a list or with `status` and
 * `details` (Google), `{"error":"…","error_type"}` (TEI), `{"object":"error","message","type"}` (vLLM,
 * Mistral), `{"message"}` (Cohere) and `{"detail":"…"}` or `{"detail":[{"loc","msg"}]}` (FastAPI, Voyage).
 */
export function parseErrorBody(text: string, inputs: readonly Input[]): ErrorBody {
    const body = parse(text);
    const error = isObject(body.error) ? body.error : body;
    const details = asList(error.details).filter(isObject);
    const message = [error.message, body.error, body.detail, body.message, body.errorMessage]
        .map(messageOf)
        .find((words) => words !== undefined)
        ?.slice(0, LONGEST_MESSAGE);
    const codes = [
        ...[error.code, error.type, error.status, body.error_type, body.errorCode, body.code],
        ...details.map(({ reason }) => reason),
    ].filter((code) => typeof code === "string");
    return {
        message,
        codes,
        ownWords: removeQuotes(message ?? "", inputs),
        retryAfterMilliseconds: details.map(retryDelay).find((delay) => delay !== undefined),
    };
}

function parse(text: string): Fields {
    try {
        const body: unknown = JSON.parse(text);
        const [first] = asList(body);
        return isObject(first) ? first : isObject(body) ? body : { message: body };
    } catch {
        return {};
    }
}

function messageOf(value: unknown): string | undefined {
    if (typeof value === "string") return value.trim() === "" ? undefined : value;
    const problems = asList(value).filter(isObject).map(formatProblem);
    return problems.length === 0 ? undefined : problems.join("; ");
}

/** Formats one error of FastAPI's validation, without its `input`, which belongs to the client. */
function formatProblem({ loc, msg }: Fields): string {
    const place = asList(loc).filter((part) => typeof part !== "object");
    return [place.join("."), msg].filter((one) => typeof one === "string" && one !== "").join(": ");
}

/** Google's RetryInfo: `"retryDelay": "34s"`. */
function retryDelay({ retryDelay: delay }: Fields): number | undefined {
    const [, seconds] = /^(\d{1,6}(?:\.\d+)?)s$/.exec(String(delay)) ?? [];
    return seconds === undefined ? undefined : limitRetryAfter(Number(seconds) * 1000);
}

function removeQuotes(message: string, inputs: readonly Input[]): string {
    let words = message;
    for (const input of inputs) {
        if (words === "" || input.kind !== "text") continue;
        const escaped = JSON.stringify(input.text).slice(1, -1);
        for (const text of [input.text, escaped]) {
            const quotes =
                text.length < UNMARKED_CHARACTERS
                    ? QUOTATION_MARKS.map(([open, close]) => `${open}${text}${close}`)
                    : [text, text.slice(0, QUOTED_BEGINNING)];
            for (const quote of quotes) words = words.replaceAll(quote, "");
        }
    }
    return words;
}

function isObject(value: unknown): value is Fields {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asList(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : [];
}
