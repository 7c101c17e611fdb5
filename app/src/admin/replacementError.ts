import { HttpError } from "../http/protocol/error.ts";
import type { Log } from "../log.ts";
import { OutcomeUnknownError, VersionConflictError } from "../redis/versionedRecord.ts";

/** Where a client finds the record that it could not replace. */
export interface ReplacedRecord {
    /** Path of the version's object in the body, with its final dot; empty if it is the body. */
    readonly prefix: string;
    /** Path that shows the record. */
    readonly path: string;
    readonly log: Log;
}

/** @returns the response to a failed replacement of a versioned record; other errors as they are */
export function replacementError(error: unknown, { prefix, path, log }: ReplacedRecord): unknown {
    if (error instanceof VersionConflictError)
        return new HttpError(409, `${prefix}${error.message}`, {
            param: `${prefix}version`,
            code: "version_conflict",
        });
    if (!(error instanceof OutcomeUnknownError)) return error;
    log.warn({ error: String(error.cause) }, "Redis is unavailable for an admin request");
    return new HttpError(503, `${error.message}; GET ${path} shows it later`, {
        type: "server_error",
        code: "outcome_unknown",
        retryAfterSeconds: 2,
    });
}
