import { UserError } from "@property-search/contract";
import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";
import type { GatewayEndpoint } from "./endpoint.ts";

/** Sends a request to a URL of the Gateway's host. */
export type Send = (url: string, init?: RequestInit) => Promise<Response>;

/**
 * Creates a transport that connects to the Gateway's address and uses the URL's host name in TLS and HTTP.
 */
export function createSend({ address, ca }: Pick<GatewayEndpoint, "address" | "ca">): Send {
    const connector = buildConnector({
        ...(ca !== undefined && { ca: [...getCACertificates("default"), ca] }),
    });
    const dispatcher = new Agent({
        connect: (options, done) => {
            const { host, port } = address;
            const name = options.servername ?? options.hostname;
            // TLS server names cannot be IP addresses.
            const servername = isIP(name.replace(/^\[|\]$/g, "")) === 0 ? { servername: name } : {};
            connector({ ...options, hostname: host, port: `${port}`, ...servername }, done);
        },
    });
    return async (url, init) => {
        try {
            return await undiciFetch(url, { ...(init as object), dispatcher });
        } catch (error) {
            // undici's own message is always "fetch failed".
            const cause = (error as { cause?: unknown }).cause ?? error;
            const words = `${init?.method ?? "GET"} ${url} failed: ${String(cause)}${trustHint(cause)}`;
            throw new UserError(words, { cause });
        }
    };
}

/** Error codes of untrusted certificates. */
const UNTRUSTED = [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** Remedy for an untrusted certificate, to append to the error; empty for other errors. */
export function trustHint(error: unknown): string {
    const { code } = (error ?? {}) as { code?: string };
    return code !== undefined && UNTRUSTED.includes(code)
        ? "; provide the CA of the Gateway's certificate: GATEWAY_CA_FILE=ca.pem"
        : "";
}
