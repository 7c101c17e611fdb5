import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const openssl = (args: readonly string[]) => run("openssl", args);
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface CertificateFiles {
    /** The authority. */
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
}

/** Makes an authority of a day, and by it a certificate for a host name, as PEM files of a folder. */
export async function issueCertificate(folder: string, host: string): Promise<CertificateFiles> {
    const file = (name: string) => path.join(folder, name);
    const ca = file("ca.pem");
    const subject = ["-days", "1", "-subj", "/CN=Test authority"];
    const extensions = ["-addext", "basicConstraints=critical,CA:TRUE"];
    await openssl([
        "req",
        "-x509",
        ...KEY,
        "-keyout",
        file("ca.key"),
        "-out",
        ca,
        ...subject,
        ...extensions,
    ]);
    const request = ["req", ...KEY, "-keyout", file("server.key"), "-out", file("server.csr")];
    await openssl([...request, "-subj", "/CN=server"]);
    await writeFile(file("extensions"), `subjectAltName=DNS:${host}\nbasicConstraints=CA:FALSE\n`);
    const by = ["-CA", ca, "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "1"];
    const signed = [
        "-in",
        file("server.csr"),
        "-out",
        file("server.pem"),
        "-extfile",
        file("extensions"),
    ];
    await openssl(["x509", "-req", ...signed, ...by]);
    return { ca, cert: file("server.pem"), key: file("server.key") };
}
