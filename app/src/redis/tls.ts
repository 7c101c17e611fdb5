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
export function certificatesError(file: string): string | undefined {
    return errorOf(() => void parseCertificates(file));
}

/** @returns why a file does not contain the private key of a certificate, or undefined if it does */
export function keyError(file: string, certificateFile: string | undefined): string | undefined {
    return errorOf(() => {
        const key = createPrivateKey(readFileSync(file));
        if (certificateFile === undefined || certificatesError(certificateFile)) return;
        const [certificate] = parseCertificates(certificateFile);
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
    let lastValid: Pick<ConnectionOptions, "ca" | "cert" | "key"> = {};

    function current(): typeof lastValid {
        const { ca, cert, key } = files;
        const error =
            (ca && certificatesError(ca)) ??
            (cert && certificatesError(cert)) ??
            (key && keyError(key, cert));
        if (error === undefined || error === "") {
            lastValid = {
                ...(ca && { ca: readFileSync(ca) }),
                ...(cert && { cert: readFileSync(cert) }),
                ...(key && { key: readFileSync(key) }),
            };
        }
        return lastValid;
    }

    // ioredis copies the options at each connection, which calls these getters.
    return {
        get ca() {
            return current().ca;
        },
        get cert() {
            return lastValid.cert;
        },
        get key() {
            return lastValid.key;
        },
    };
}

function parseCertificates(file: string): readonly X509Certificate[] {
    const found = readFileSync(file, "latin1").match(CERTIFICATE);
    if (!found) throw new Error("it contains no certificate");
    return found.map((pem) => new X509Certificate(pem));
}

function errorOf(check: () => void): string | undefined {
    try {
        check();
        return undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}
