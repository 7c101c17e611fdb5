import {
    ACME_SERVERS,
    DNS01_SECRET,
    type AcmeIssuer,
    type IssuerSettings,
} from "../components/certificates/issuer.ts";
import type { CertManagerInstall } from "../components/certificates/certManager.ts";
import { checkSolver, missingLogin } from "./dns01.ts";
import type { ConfigReader } from "./reader.ts";
import { mirroredFolder } from "./images.ts";
import { SETTINGS } from "./settings/index.ts";

/** Issuers of cert-manager itself; its webhook takes no other kind of its group. */
const CERT_MANAGER = { group: "cert-manager.io", kinds: ["ClusterIssuer", "Issuer"] };

/** A Secret of type kubernetes.io/tls that the stack does not manage. */
export interface ExistingSecret {
    readonly name: string;
    /** Undefined: the Gateway's own namespace. */
    readonly namespace: string | undefined;
}

export interface CertificatesConfig {
    readonly hostname: string;
    /** With one, nothing is issued. */
    readonly secret: ExistingSecret | undefined;
    readonly issuer: IssuerSettings;
    /** Undefined: the cluster's cert-manager is used. */
    readonly install: CertManagerInstall | undefined;
}

/** @returns undefined when certificates are off. */
export function readCertificates(read: ConfigReader): CertificatesConfig | undefined {
    const { enabled, secretName: name, secretNamespace: namespace } = read.group("certificates");
    const secret = name === undefined ? undefined : { name, namespace };
    const issued = enabled && secret === undefined;
    const issuer = readIssuer(read, issued);
    const install = readInstall(read);
    refuseContradictions(read, secret);
    if (!enabled) return undefined;
    const hostname = read.required("edge.hostname", "certificates.enabled is true");
    return { hostname, secret, issuer, install: issued ? install : undefined };
}

function readInstall(read: ConfigReader): CertManagerInstall | undefined {
    const { certManager, chart, chartVersion, imageRegistry } = read.group("certificates");
    if (certManager !== "install") return undefined;
    return { chart, chartVersion, imageRegistry: mirroredFolder(read, imageRegistry) };
}

function readIssuer(read: ConfigReader, issued: boolean): IssuerSettings {
    const { issuer, issuerName, issuerKind: kind, issuerGroup: group } = read.group("certificates");
    if (group === CERT_MANAGER.group && !CERT_MANAGER.kinds.includes(kind)) {
        read.addError(
            "certificates.issuerKind",
            `is ${JSON.stringify(kind)}; allowed: ${CERT_MANAGER.kinds.join(", ")}, since ` +
                `certificates.issuerGroup is ${group}`,
        );
    }
    const acme = readAcme(read, issued);
    if (issuer === "selfSigned") return { type: "selfSigned" };
    if (issuer !== "existing") return acme;
    const name = issued
        ? read.required("certificates.issuerName", "certificates.issuer is existing")
        : issuerName;
    return { type: "existing", name: name ?? "", kind, group };
}

function readAcme(read: ConfigReader, issued: boolean): AcmeIssuer {
    const { issuer, acmeServer, email, acmeCaBundle } = read.group("certificates");
    const isAcme = issuer === "acme" || issuer === "acmeStaging";
    if (issued && isAcme && acmeServer === undefined) {
        read.required("certificates.email", `certificates.issuer is ${issuer}`);
    }
    return {
        type: "acme",
        server: acmeServer ?? ACME_SERVERS[issuer === "acme" ? "acme" : "acmeStaging"],
        email,
        caBundle: acmeCaBundle,
        account: readAccount(read),
        challenge: readChallenge(read, isAcme),
    };
}

/** External account binding, which ACME servers other than Let's Encrypt ask for. */
function readAccount(read: ConfigReader): AcmeIssuer["account"] {
    const { acmeKeyId: keyId, acmeKey } = read.group("certificates");
    if (keyId === undefined && acmeKey !== undefined) {
        read.addError(
            "certificates.acmeKey",
            "is set, and has no effect; allowed: nothing, since certificates.acmeKeyId is not set",
        );
    }
    if (keyId === undefined) return undefined;
    const reason = ", since certificates.acmeKeyId is set";
    return {
        keyId,
        key: read.requiredSecret("certificates.acmeKey", SETTINGS["certificates.acmeKey"], reason),
    };
}

function readChallenge(read: ConfigReader, isAcme: boolean): AcmeIssuer["challenge"] {
    const {
        challenge,
        dns01: solver,
        dns01Secret: secret,
        certManager,
    } = read.group("certificates");
    if (challenge === "http01" || !isAcme) return { type: "http01" };
    const { errors, names } = checkSolver(solver);
    for (const words of errors) read.addError("certificates.dns01", words);
    const lacking = missingLogin(solver);
    if (lacking !== undefined && certManager === "install") {
        const reason =
            "since the stack's own cert-manager gives an Issuer no credentials of its pod";
        read.addError("certificates.dns01", `${lacking}, ${reason}`);
    }
    const isUsed = names.includes(DNS01_SECRET.name);
    if (isUsed && secret === undefined) {
        read.addError(
            "certificates.dns01Secret",
            `is not set; allowed: a secret, since certificates.dns01 names ${DNS01_SECRET.name}`,
        );
    }
    if (!isUsed && secret !== undefined) {
        read.addError(
            "certificates.dns01Secret",
            `is set, and nothing reads it; allowed: a secret that certificates.dns01 names as ` +
                `${DNS01_SECRET.name}, key ${DNS01_SECRET.key}`,
        );
    }
    return { type: "dns01", solver: solver as Record<string, unknown>, secret };
}

/** Rejects keys without effect, each with the key and value that is the reason. */
function refuseContradictions(read: ConfigReader, secret: ExistingSecret | undefined): void {
    const { issuer, challenge } = read.group("certificates");
    const isAcme = issuer === "acme" || issuer === "acmeStaging";
    const withSecret = secret && `certificates.secretName is "${secret.name}"`;
    const notAcme = isAcme ? undefined : `certificates.issuer is ${issuer}`;
    const notDns01 =
        withSecret ??
        notAcme ??
        (challenge === "dns01" ? undefined : `certificates.challenge is ${challenge}`);
    const unused: Readonly<Record<string, string | undefined>> = {
        "certificates.secretNamespace": secret ? undefined : "certificates.secretName is not set",
        "certificates.issuerName":
            withSecret ??
            (issuer === "existing" ? undefined : `certificates.issuer is ${issuer}, not existing`),
        "certificates.acmeServer":
            withSecret ?? (issuer === "acme" ? undefined : `certificates.issuer is ${issuer}`),
        "certificates.acmeCaBundle": withSecret ?? notAcme,
        "certificates.acmeKeyId": withSecret ?? notAcme,
        "certificates.dns01": notDns01,
        "certificates.dns01Secret": notDns01,
    };
    for (const [key, reason] of Object.entries(unused)) {
        if (reason !== undefined && read.isSet(key)) {
            read.addError(key, `is set, and has no effect; allowed: nothing, since ${reason}`);
        }
    }
}
