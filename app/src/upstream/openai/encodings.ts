import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import { cosine, MIN_SAME_VECTOR_COSINE } from "../../vector/cosine.ts";
import {
    ENCODINGS,
    type ApiClient,
    type CallOptions,
    type CallResult,
    type Encoding,
} from "./apiClient.ts";
import { NOT_THE_ENCODING, type FailedCall } from "./failure.ts";
import { invalidResponseError, type ParsedResponse } from "./response.ts";

/** Calls an API in the first encoding of vectors that it supports. */
export interface EncodingNegotiation {
    readonly call: (inputs: readonly Input[], options: CallOptions) => Promise<CallResult>;
    /** The encoding in use; undefined until a response has proven it. */
    readonly proven: () => Encoding | undefined;
}

/** @param name of the endpoint, for the log */
export function createEncodingNegotiation(
    { send }: Pick<ApiClient, "send">,
    name: string,
    log: Log,
): EncodingNegotiation {
    /** Until the first valid response, a rejection or an unusual vector may be due to the encoding. */
    let encoding: { name: Encoding; isProven: boolean } = { name: "base64", isProven: false };
    /** Whether the model's native vectors are of unit length; undefined if unknown. */
    let isUnitModel: boolean | undefined;

    async function call(inputs: readonly Input[], options: CallOptions): Promise<CallResult> {
        const { name: first } = encoding;
        const result = await send(inputs, options, first);
        return "response" in result
            ? confirm(inputs, options, result.response, first)
            : tryOtherEncodings(inputs, options, result, first);
    }

    /** Repeats the call in other encodings, if the encoding may be the cause of the rejection. */
    async function tryOtherEncodings(
        inputs: readonly Input[],
        options: CallOptions,
        failed: FailedCall,
        first: Encoding,
    ): Promise<CallResult> {
        let failure = failed;
        let mayBeEncoding = encoding.isProven ? failed.namesEncoding : failed.mayBeEncoding;
        for (const other of ENCODINGS.slice(ENCODINGS.indexOf(first) + 1)) {
            if (!mayBeEncoding) break;
            const result = await send(inputs, options, other);
            if ("response" in result) {
                prove(other);
                return result;
            }
            failure = result;
            mayBeEncoding = result.namesEncoding;
        }
        return failure;
    }

    /**
     * Requests unusual vectors again as numbers, to find out whether the model or the encoding is the cause.
     */
    async function confirm(
        inputs: readonly Input[],
        options: CallOptions,
        response: ParsedResponse,
        current: Encoding,
    ): Promise<CallResult> {
        const isNative = options.dimensions === undefined;
        const { areUnit } = response;
        if (areUnit && isNative) isUnitModel ??= true;
        if (areUnit || (encoding.isProven && !(isNative && isUnitModel === true))) {
            prove(current);
            return { response };
        }
        const result = await send(inputs, options, current === "base64" ? "float" : current);
        if (!("response" in result)) {
            if (!result.namesEncoding) return result;
            prove(current);
            return { response };
        }
        const second = result.response;
        const isSame = second.vectors.every((vector, at) =>
            isSameVector(vector, response.vectors[at]),
        );
        const tokens = add(response.tokens, second.tokens);
        if (isSame && (second.areNumbers || response.arePlausible)) {
            if (isNative) isUnitModel = false;
            prove(current);
            return { response: { ...response, tokens } };
        }
        if (current === "base64" && second.areUnit) {
            if (isNative) isUnitModel ??= true;
            prove("float");
            return { response: { ...second, tokens } };
        }
        const reason = isSame
            ? "its vectors have an implausible length"
            : "a repeated request returned another vector";
        const error = invalidResponseError(reason);
        return { error, isRetryable: true, ...NOT_THE_ENCODING };
    }

    function prove(proven: Encoding): void {
        if (encoding.isProven && encoding.name === proven) return;
        if (proven !== "base64")
            log.info({ endpoint: name, encoding: proven }, "The upstream returns no base64");
        encoding = { name: proven, isProven: true };
    }

    return { call, proven: () => (encoding.isProven ? encoding.name : undefined) };
}

function isSameVector(a: Float32Array, b: Float32Array | undefined): boolean {
    return b !== undefined && cosine(a, b) >= MIN_SAME_VECTOR_COSINE;
}

function add(a: number | undefined, b: number | undefined): number | undefined {
    return a === undefined || b === undefined ? undefined : a + b;
}
