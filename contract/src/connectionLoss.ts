/** Error codes of Node and undici for connections that failed to open or were lost. */
const CONNECTION_ERROR_CODES = new Set([
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

/** Bounds the chain of causes, which may be circular. */
const MAX_CAUSES = 5;

/**
 * Describes a lost connection. Node reports some of them as TLS errors.
 *
 * @returns a sentence, or undefined for any other error
 */
export function describeConnectionLoss(error: unknown): string | undefined {
    const chain = causeChain(error);
    const code = chain
        .map(errorCode)
        .find((one) => one !== undefined && CONNECTION_ERROR_CODES.has(one));
    if (code === undefined) return undefined;
    const where = chain.map(peerAddress).find((one) => one !== undefined) ?? "the cluster";
    return `no connection to ${where} (${code}): the network is down, or no process listens at this address`;
}

export function causeChain(error: unknown): readonly object[] {
    const chain: object[] = [];
    let next = error;
    while (typeof next === "object" && next !== null && chain.length < MAX_CAUSES) {
        chain.push(next);
        // One error per address of a host name.
        const [first] = next instanceof AggregateError ? (next.errors as unknown[]) : [];
        next = first ?? ("cause" in next ? next.cause : undefined);
    }
    return chain;
}

export function errorCode(error: object): string | undefined {
    return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function peerAddress(error: object): string | undefined {
    const { address, host = address, port, message } = error as Readonly<Record<string, unknown>>;
    if (typeof host === "string" && host !== "") {
        return typeof port === "number" ? `${host}:${port}` : host;
    }
    return typeof message === "string" ? /https?:\/\/[^/\s]+/.exec(message)?.[0] : undefined;
}
