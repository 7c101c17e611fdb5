import { UpstreamError } from "../upstream/upstream.ts";

export type ErrorType =
    | "invalid_request_error"
    | "rate_limit_error"
    | "server_error"
    /** What a tenant has used up, as OpenAI names it. */
    | "requests"
    | "tokens"
    | "insufficient_quota";

/** A refusal in OpenAI's error shape. */
export class HttpError extends Error {
    readonly status: number;
    readonly type: ErrorType;
    readonly param: string | null;
    readonly code: string | null;
    readonly retryAfterSeconds: number | undefined;

    constructor(
        status: number,
        message: string,
        details: {
            readonly type?: ErrorType;
            readonly param?: string | null;
            readonly code?: string | null;
            readonly retryAfterSeconds?: number | undefined;
        } = {},
    ) {
        super(message);
        this.name = "HttpError";
        this.status = status;
        this.type = details.type ?? "invalid_request_error";
        this.param = details.param ?? null;
        this.code = details.code ?? null;
        this.retryAfterSeconds = details.retryAfterSeconds;
    }
}

/** @returns the 400 of a field that is not what the contract allows. */
export function wrongField(param: string, message: string, code?: string): HttpError {
    return new HttpError(400, message, { param, code: code ?? null });
}

/**
 * @param nameOf tells which field of the request an input is
 * @returns what the client may know of a failure; everything unexpected is a bare 500
 */
export function asHttpError(
    error: unknown,
    nameOf?: (item: number | undefined) => string,
): HttpError {
    if (error instanceof HttpError) return error;
    if (error instanceof UpstreamError) {
        const { status, code, retryAfterSeconds } = error;
        const type =
            status === 400
                ? "invalid_request_error"
                : status === 429
                  ? "rate_limit_error"
                  : "server_error";
        return new HttpError(status, error.message, {
            type,
            code,
            retryAfterSeconds,
            param: status === 400 ? (nameOf?.(error.item) ?? null) : null,
        });
    }
    return new HttpError(500, "The service failed to answer this request", {
        type: "server_error",
        code: "internal_error",
    });
}

export function errorBody({ message, type, param, code }: HttpError): string {
    return JSON.stringify({ error: { message, type, param, code } });
}
