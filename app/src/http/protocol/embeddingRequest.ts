import type { Input } from "../../input.ts";
import { normaliseText, type Normalise } from "../../key/normalise.ts";
import { modelNotFoundError, invalidFieldError, type HttpError } from "./error.ts";
import { parseObject } from "./jsonBody.ts";
import { parseUser } from "./user.ts";

export type Encoding = "float" | "base64";

/** A validated request for embeddings; its route only decides the format of the response. */
export interface EmbeddingRequest {
    readonly inputs: readonly Input[];
    /** Field of the body that contains the inputs. */
    readonly field: string;
    /** A single input instead of a list. */
    readonly isSingle: boolean;
    readonly encoding: Encoding;
    /** Dimensions requested from the upstream; undefined for the model's native ones. */
    readonly dimensions: number | undefined;
    /** Dimensions to which the native vectors are shortened, so that one entry serves all lengths. */
    readonly shortenTo: number | undefined;
    /** The client's end user, whose arm an experiment may choose. Never logged, stored or sent. */
    readonly user: string | undefined;
}

/** Limits of the configured model. */
export interface ModelLimits {
    readonly model: string;
    /** The path names the model, so the body may omit it. */
    readonly isModelKnown?: boolean;
    readonly acceptsTokens: boolean;
    readonly dimensions: () => number | undefined;
    readonly dimensionsError: (dimensions: number) => string | undefined;
    readonly supportsShortening: boolean;
    /** Maximum bytes of a token; undefined for unknown vocabularies. */
    readonly maxBytesPerToken?: number | undefined;
}

/** OpenAI's limits: https://developers.openai.com/api/reference/resources/embeddings */
const MAX_ITEMS = 2_048;
export const MAX_TOKENS = 8_192;
export const MAX_REQUEST_TOKENS = 300_000;

/** Maximum number of JSON values in a body: all tokens in the maximum number of lists. */
const MAX_VALUES = MAX_REQUEST_TOKENS + 2 * MAX_ITEMS;

const EMBED_FIELDS = ["text", "texts", "user"];
const OPENAI_FIELDS = ["input", "model", "encoding_format", "dimensions", "user"];

/** Name of an input in error messages. */
export function inputName({ field, isSingle }: EmbeddingRequest, index: number): string {
    return isSingle ? field : `${field}[${index}]`;
}

/**
 * Parses `{"text": string}` or `{"texts": string[]}`, each with an optional `user`.
 *
 * @throws HttpError
 */
export function parseEmbed(
    body: Buffer,
    normalise: Normalise = normaliseText,
    limits: Pick<ModelLimits, "maxBytesPerToken"> = {},
): EmbeddingRequest {
    const fields = parseObject(body, EMBED_FIELDS, MAX_VALUES);
    const isSingle = fields.text !== undefined;
    if (isSingle === (fields.texts !== undefined)) {
        throw invalidFieldError("text", "Set either text, a string, or texts, a list of strings");
    }
    const inputs = isSingle
        ? [parseText(fields.text, "text", normalise, limits)]
        : requireList(fields.texts, "texts").map((text, index) =>
              parseText(text, `texts[${index}]`, normalise, limits),
          );
    const field = isSingle ? "text" : "texts";
    return {
        inputs,
        field,
        isSingle,
        encoding: "float",
        dimensions: undefined,
        shortenTo: undefined,
        user: parseUser(fields.user),
    };
}

/**
 * Parses the body of OpenAI's `POST /v1/embeddings`.
 *
 * @throws HttpError
 */
export function parseOpenai(
    body: Buffer,
    limits: ModelLimits,
    normalise: Normalise = normaliseText,
): EmbeddingRequest {
    const fields = parseObject(body, OPENAI_FIELDS, MAX_VALUES);
    if (!(limits.isModelKnown && isAbsent(fields.model))) checkModel(fields.model, limits.model);
    const user = parseUser(fields.user);
    const dimensions = parseDimensions(fields.dimensions, limits);
    const length = limits.supportsShortening
        ? { dimensions: undefined, shortenTo: dimensions }
        : { dimensions, shortenTo: undefined };
    const request = {
        ...parseInput(fields.input, limits, normalise),
        field: "input",
        encoding: parseEncoding(fields),
        ...length,
        user,
    } as const;
    // Checked last, as for large bodies, whose thread does not know the model's dimensions.
    checkDimensions(length, limits);
    return request;
}

/** @throws HttpError if the model does not support the requested dimensions */
export function checkDimensions(
    { dimensions, shortenTo }: Pick<EmbeddingRequest, "dimensions" | "shortenTo">,
    limits: Pick<ModelLimits, "dimensionsError">,
): void {
    const wanted = dimensions ?? shortenTo;
    const error = wanted === undefined ? undefined : limits.dimensionsError(wanted);
    if (error !== undefined)
        throw invalidFieldError("dimensions", `dimensions is ${wanted}: ${error}`);
}

/** Clients in typed languages send null for unset options. */
function isAbsent(value: unknown): boolean {
    return value === undefined || value === null;
}

function checkModel(model: unknown, served: string): void {
    if (model === served) return;
    if (typeof model !== "string" || model === "") {
        throw invalidFieldError("model", `model is missing; allowed: ${JSON.stringify(served)}`);
    }
    throw modelNotFoundError(model, served);
}

function parseEncoding({ encoding_format: encoding }: Record<string, unknown>): Encoding {
    if (isAbsent(encoding) || encoding === "float") return "float";
    if (encoding === "base64") return "base64";
    throw invalidFieldError("encoding_format", 'encoding_format must be "float" or "base64"');
}

function parseDimensions(dimensions: unknown, limits: ModelLimits): number | undefined {
    if (isAbsent(dimensions)) return undefined;
    if (typeof dimensions !== "number" || !Number.isSafeInteger(dimensions) || dimensions < 1) {
        throw invalidFieldError("dimensions", "dimensions must be an integer of at least 1");
    }
    // The native length yields the same vector as no length, and shares its entry.
    return dimensions === limits.dimensions() ? undefined : dimensions;
}

function parseInput(
    input: unknown,
    limits: ModelLimits,
    normalise: Normalise,
): Pick<EmbeddingRequest, "inputs" | "isSingle"> {
    if (typeof input === "string")
        return { inputs: [parseText(input, "input", normalise, limits)], isSingle: true };
    if (input === undefined) throw invalidFieldError("input", "input is missing");
    const items = requireList(input, "input");
    if (typeof items[0] === "number") {
        return { inputs: [parseTokens(items, "input", limits)], isSingle: true };
    }
    const inputs = items.map((item, index) =>
        Array.isArray(item)
            ? parseTokens(item, `input[${index}]`, limits)
            : parseText(item, `input[${index}]`, normalise, limits),
    );
    const tokens = inputs.reduce(
        (sum, item) => sum + (item.kind === "tokens" ? item.ids.length : 0),
        0,
    );
    if (tokens > MAX_REQUEST_TOKENS) {
        const message = `input has ${tokens} tokens; allowed: at most ${MAX_REQUEST_TOKENS} per request`;
        throw invalidFieldError("input", message, "max_tokens_per_request");
    }
    return { inputs, isSingle: false };
}

function requireList(value: unknown, param: string): readonly unknown[] {
    if (!Array.isArray(value))
        throw invalidFieldError(param, `${param} must be a string or a list`);
    if (value.length === 0) throw invalidFieldError(param, `${param} must not be empty`);
    if (value.length > MAX_ITEMS && typeof value[0] !== "number") {
        const message = `${param} has ${value.length} items; allowed: at most ${MAX_ITEMS}`;
        throw invalidFieldError(param, message);
    }
    return value as unknown[];
}

function parseText(
    text: unknown,
    param: string,
    normalise: Normalise,
    { maxBytesPerToken = Infinity }: Pick<ModelLimits, "maxBytesPerToken">,
): Input {
    if (typeof text !== "string") throw invalidFieldError(param, `${param} must be a string`);
    const normalised = normalise(text);
    if (normalised === "") throw invalidFieldError(param, `${param} must not be empty or blank`);
    // Too many tokens in any case; counting them would take seconds.
    if (normalised.length > MAX_TOKENS * maxBytesPerToken) throw tooManyTokensError(param);
    return { kind: "text", text: normalised };
}

/** @returns the error for a text that exceeds the context length */
export function tooManyTokensError(param: string): HttpError {
    const message = `${param} has more than ${MAX_TOKENS} tokens; allowed: at most ${MAX_TOKENS}`;
    return invalidFieldError(param, message, "context_length_exceeded");
}

function parseTokens(ids: readonly unknown[], param: string, limits: ModelLimits): Input {
    if (!limits.acceptsTokens) {
        const message = `${param} has token IDs of another model's vocabulary; send texts`;
        throw invalidFieldError(param, message, "tokens_not_supported");
    }
    if (ids.length === 0) throw invalidFieldError(param, `${param} must not be empty`);
    if (ids.length > MAX_TOKENS) {
        const message = `${param} has ${ids.length} tokens; allowed: at most ${MAX_TOKENS}`;
        throw invalidFieldError(param, message, "context_length_exceeded");
    }
    if (!ids.every((id) => typeof id === "number" && Number.isSafeInteger(id) && id >= 0)) {
        throw invalidFieldError(param, `${param} must contain texts or lists of token IDs`);
    }
    return { kind: "tokens", ids: ids as readonly number[] };
}
