import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM files in their own directory. */
export interface Certificates {
    readonly folder: string;
    readonly ca: string;
    /** An authority that signed none of them. */
    readonly otherCa: string;
    /** For the address 127.0.0.1. */
    readonly server: CertificateFiles;
    /** For another name. */
    readonly elsewhere: CertificateFiles;
    readonly client: CertificateFiles;
    readonly noPem: string;
    readonly remove: () => Promise<void>;
}

export interface CertificateFiles {
    readonly cert: string;
    readonly key: string;
}

export async function makeCertificates(): Promise<Certificates> {
    const folder = await mkdtemp(join(tmpdir(), "certificates-"));
    const authority = sign(folder, "ca", []);
    const issued = (name: string, subjectAltName: string) =>
        sign(folder, name, [
            ...["-CA", authority.cert, "-CAkey", authority.key],
            ...["-addext", `subjectAltName=${subjectAltName}`],
            ...["-addext", "basicConstraints=critical,CA:FALSE"],
        ]);
    const noPem = join(folder, "no.pem");
    await writeFile(noPem, "no certificate");
    return {
        folder,
        ca: authority.cert,
        otherCa: sign(folder, "other-ca", []).cert,
        server: issued("server", "IP:127.0.0.1"),
        elsewhere: issued("elsewhere", "DNS:elsewhere.example"),
        client: issued("client", "DNS:client.example"),
        noPem,
        remove: () => rm(folder, { recursive: true }),
    };
}

function sign(folder: string, name: string, options: readonly string[]): CertificateFiles {
    const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const args = ["req", "-x509", ...ec, "-keyout", key, "-out", cert, "-days", "2"];
    execFileSync("openssl", [...args, "-subj", `/CN=${name}`, ...options], { stdio: "pipe" });
    return { cert, key };
}
