/** Codes of Node and of its HTTP client for a connection that could not be made, or has ended. */
const CODES = new Set([
    "EAI_AGAIN",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "ETIMEDOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_SOCKET",
]);

/** Errors come wrapped, and an error may be its own cause. */
const DEPTH = 5;

/**
 * Names a lost connection as that: while TLS is being set up, Node speaks of TLS.
 *
 * @returns a sentence; undefined for an error of any other kind
 */
export function brokenLink(error: unknown): string | undefined {
    const chain = chainOf(error);
    const code = chain.map(codeOf).find((one) => one !== undefined && CODES.has(one));
    if (code === undefined) return undefined;
    const where = chain.map(addressOf).find((one) => one !== undefined) ?? "the cluster";
    return `no connection to ${where} (${code}): the link is down, or nothing listens there`;
}

export function chainOf(error: unknown): readonly object[] {
    const chain: object[] = [];
    let next = error;
    while (typeof next === "object" && next !== null && chain.length < DEPTH) {
        chain.push(next);
        // One error for each address of a name.
        const [first] = next instanceof AggregateError ? (next.errors as unknown[]) : [];
        next = first ?? ("cause" in next ? next.cause : undefined);
    }
    return chain;
}

export function codeOf(error: object): string | undefined {
    return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function addressOf(error: object): string | undefined {
    const { address, host = address, port, message } = error as Readonly<Record<string, unknown>>;
    if (typeof host === "string" && host !== "") {
        return typeof port === "number" ? `${host}:${port}` : host;
    }
    return typeof message === "string" ? /https?:\/\/[^/\s]+/.exec(message)?.[0] : undefined;
}
