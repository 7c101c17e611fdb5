import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";

/** PEM files; undefined if not used. */
export interface TlsFiles {
    /** CA certificates of the server, instead of Node's defaults. */
    readonly ca?: string | undefined;
    /** Client certificate with its chain, and its private key. */
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @returns why a file does not contain valid PEM certificates, or undefined if it does */
export function certificatesFault(file: string): string | undefined {
    return faultOf(() => void certificatesIn(file));
}

/** @returns why a file does not contain the private key of a certificate, or undefined if it does */
export function keyFault(file: string, certificateFile: string | undefined): string | undefined {
    return faultOf(() => {
        const key = createPrivateKey(readFileSync(file));
        if (certificateFile === undefined || certificatesFault(certificateFile)) return;
        const [certificate] = certificatesIn(certificateFile);
        if (certificate?.checkPrivateKey(key) === false)
            throw new Error("it belongs to another certificate");
    });
}

/**
 * Options for `tls.connect` that read the files at each connection, because certificates are renewed while a
 * pod runs. The server's name is always verified. Until a renewal is complete and valid, the previous files
 * stay in force.
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

    // ioredis copies the options at each connection, which calls these getters.
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
    if (!found) throw new Error("it contains no certificate");
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
