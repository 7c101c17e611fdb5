import { LimitError, type LimitType } from "../../upstream/limitError.ts";
import { UpstreamError } from "../../upstream/upstream.ts";

export type ErrorType = "invalid_request_error" | "rate_limit_error" | "server_error" | LimitType;

/** An error response in OpenAI's format. */
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

/** @returns a 400 for an invalid field */
export function invalidFieldError(param: string, message: string, code?: string): HttpError {
    return new HttpError(400, message, { param, code: code ?? null });
}

/** @returns a 404 for a model that is not served, in OpenAI's format */
export function modelNotFoundError(model: string, served: string): HttpError {
    const message = `The model ${JSON.stringify(model.slice(0, 128))} is not available; allowed: ${JSON.stringify(served)}`;
    return new HttpError(404, message, { param: "model", code: "model_not_found" });
}

/**
 * @param nameOf returns the name of an input in the request
 * @returns the error that the client may see; unexpected errors are a bare 500
 */
export function toHttpError(
    error: unknown,
    nameOf?: (item: number | undefined) => string,
): HttpError {
    if (error instanceof HttpError) return error;
    if (error instanceof UpstreamError) {
        const { status, code, retryAfterSeconds } = error;
        const types = { 400: "invalid_request_error", 429: "rate_limit_error" } as const;
        const byStatus = status === 400 || status === 429 ? types[status] : "server_error";
        return new HttpError(status, error.message, {
            type: error instanceof LimitError ? error.type : byStatus,
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

export function formatError({ message, type, param, code }: HttpError): string {
    return JSON.stringify({ error: { message, type, param, code } });
}
