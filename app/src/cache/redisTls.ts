import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";

/** PEM files; what is undefined is not used. */
export interface TlsFiles {
    /** Authorities that sign the server's certificate, in the place of Node's own. */
    readonly ca?: string | undefined;
    /** The client's certificate with its chain, and its key. */
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @returns what keeps a file from being certificates in PEM; undefined when nothing does */
export function certificatesFault(file: string): string | undefined {
    return faultOf(() => void certificatesIn(file));
}

/** @returns what keeps a file from being the key of a certificate; undefined when nothing does */
export function keyFault(file: string, certificateFile: string | undefined): string | undefined {
    return faultOf(() => {
        const key = createPrivateKey(readFileSync(file));
        if (certificateFile === undefined || certificatesFault(certificateFile)) return;
        const [certificate] = certificatesIn(certificateFile);
        if (certificate?.checkPrivateKey(key) === false) throw new Error("of another certificate");
    });
}

/**
 * Options for `tls.connect` whose values are read from the files at each connection: certificates are
 * renewed while a pod lives. The server's name is checked as always. Until a renewal is complete and
 * sound, what was read before holds.
 */
export function tlsOptions(files: TlsFiles): ConnectionOptions {
    let known: Pick<ConnectionOptions, "ca" | "cert" | "key"> = {};

    function current(): typeof known {
        const { ca, cert, key } = files;
        const fault =
            (ca && certificatesFault(ca)) ??
            (cert && certificatesFault(cert)) ??
            (key && keyFault(key, cert));
        if (fault === undefined || fault === "") {
            known = {
                ...(ca && { ca: readFileSync(ca) }),
                ...(cert && { cert: readFileSync(cert) }),
                ...(key && { key: readFileSync(key) }),
            };
        }
        return known;
    }

    // ioredis copies the options at each connection, which is when these are asked for.
    return {
        get ca() {
            return current().ca;
        },
        get cert() {
            return known.cert;
        },
        get key() {
            return known.key;
        },
    };
}

function certificatesIn(file: string): readonly X509Certificate[] {
    const found = readFileSync(file, "latin1").match(CERTIFICATE);
    if (!found) throw new Error("it holds none");
    return found.map((pem) => new X509Certificate(pem));
}

function faultOf(check: () => void): string | undefined {
    try {
        check();
        return undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}
