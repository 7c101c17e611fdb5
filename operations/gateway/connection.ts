import { UserError } from "@property-search/contract";
import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";
import type { GatewayEndpoint } from "./endpoint.ts";

/** Sends a request to a path of the Gateway, or to another URL of its host. */
export type Send = (url: string, init?: RequestInit) => Promise<Response>;

/**
 * A client of the Gateway: it connects to the Gateway's address, and names the host of the URL in TLS and in HTTP.
 */
export function senderTo({ address, ca }: Pick<GatewayEndpoint, "address" | "ca">): Send {
    const connector = buildConnector({
        ...(ca !== undefined && { ca: [...getCACertificates("default"), ca] }),
    });
    const dispatcher = new Agent({
        connect: (options, done) => {
            const { host, port } = address;
            const name = options.servername ?? options.hostname;
            // An address is no name that TLS could ask for.
            const servername = isIP(name.replace(/^\[|\]$/g, "")) === 0 ? { servername: name } : {};
            connector({ ...options, hostname: host, port: `${port}`, ...servername }, done);
        },
    });
    return async (url, init) => {
        try {
            return await undiciFetch(url, { ...(init as object), dispatcher });
        } catch (error) {
            // Its own words are "fetch failed", whatever has failed.
            const cause = (error as { cause?: unknown }).cause ?? error;
            const words = `${init?.method ?? "GET"} ${url} failed: ${String(cause)}${adviceOf(cause)}`;
            throw new UserError(words, { cause });
        }
    };
}

/** Codes of connections that a certificate has ended. */
const UNTRUSTED = [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** What to do about a failed connection, to follow its error; nothing where the error says it all. */
export function adviceOf(error: unknown): string {
    const { code } = (error ?? {}) as { code?: string };
    return code !== undefined && UNTRUSTED.includes(code)
        ? "; give the authority that signs for the Gateway: GATEWAY_CA_FILE=ca.pem"
        : "";
}
