/** Whether Redis replied with an error, so that it is available. */
export function isErrorReply(error: unknown): error is Error {
    return error instanceof Error && error.name === "ReplyError";
}
