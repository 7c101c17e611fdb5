import type { FastifyError, FastifySchemaValidationError } from "fastify";

import { toHttpError, formatError, HttpError } from "../http/protocol/error.ts";
import { JSON_TYPE } from "../http/protocol/responder.ts";
import type { Log } from "../log.ts";
import type { AdminApp } from "./app.ts";

const MAX_SHOWN = 64;

/** All error responses have the shape of the service's errors and name field, value and what is allowed. */
export function registerErrorHandlers(app: AdminApp, log: Log): void {
    app.setErrorHandler((error: FastifyError | HttpError, request, reply) => {
        const known = error instanceof HttpError ? error : fromFastify(error);
        if (known.status >= 500) {
            const { url: route } = request.routeOptions;
            log.warn({ route, status: known.status, error: error.message }, "Admin request failed");
        }
        if (known.status === 401) void reply.header("www-authenticate", "Bearer");
        if (known.retryAfterSeconds) void reply.header("retry-after", known.retryAfterSeconds);
        return reply.code(known.status).type(JSON_TYPE).send(formatError(known));
    });
    app.setNotFoundHandler((request) => {
        const [path = ""] = request.url.split("?");
        const shown = `${request.method} ${path.slice(0, MAX_SHOWN)}`;
        throw new HttpError(404, `${shown} does not exist; see /admin/v1/openapi.json`);
    });
}

function fromFastify(error: FastifyError): HttpError {
    if (error.validation)
        return validationError(error.validation, error.validationContext ?? "body");
    if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
        return new HttpError(
            415,
            `${error.message}; see /admin/v1/openapi.json for the supported types`,
        );
    }
    const { statusCode = 500 } = error;
    return statusCode < 500 ? new HttpError(statusCode, error.message) : toHttpError(error);
}

/** Reports all errors in one message; `param` is the field of the first. */
function validationError(
    errors: readonly FastifySchemaValidationError[],
    context: string,
): HttpError {
    const all = errors.map((error) => ({ field: fieldOf(error) || context, error }));
    const message = all.map(({ field, error }) => `${field} ${describeProblem(error)}`).join("; ");
    return new HttpError(400, message, { param: all[0]?.field ?? null });
}

function fieldOf({ instancePath, params }: FastifySchemaValidationError): string {
    const inside = params.missingProperty ?? params.additionalProperty;
    const path = typeof inside === "string" ? `${instancePath}/${inside}` : instancePath;
    return path.slice(1).replaceAll("/", ".").slice(0, MAX_SHOWN);
}

/** Additional fields of the validator's errors in verbose mode. */
interface VerboseValidationError {
    readonly data?: unknown;
    readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

function describeProblem(error: FastifySchemaValidationError): string {
    const { keyword, message = "is wrong", params } = error;
    const { data, parentSchema } = error as VerboseValidationError;
    switch (keyword) {
        case "required":
            return "is missing";
        case "additionalProperties":
            return `is unknown; allowed: ${Object.keys(parentSchema?.properties ?? {}).join(", ")}`;
        case "enum":
            return `is ${truncate(data)}; allowed: ${(params.allowedValues as unknown[]).join(", ")}`;
        default:
            return `is ${truncate(data)}, but ${message}`;
    }
}

function truncate(value: unknown): string {
    const text = JSON.stringify(value);
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
