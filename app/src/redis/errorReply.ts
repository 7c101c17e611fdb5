/** Whether Redis replied with an error, so that it is available. */
export function isErrorReply(error: unknown): error is Error {
    return error instanceof Error && error.name === "ReplyError";
}

/** Whether an ACL denies a command, or the server does not have it. */
export function isForbidden(error: unknown): error is Error {
    return isErrorReply(error) && /^(NOPERM|ERR unknown command)/.test(error.message);
}
