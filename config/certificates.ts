import { ADDRESS, NAME, pattern, type Allowed } from "@property-search/contract/settings";
import type * as pulumi from "@pulumi/pulumi";
import { X509Certificate } from "node:crypto";
import {
    ACME_SERVERS,
    DNS01_SECRET,
    type AcmeIssuer,
    type IssuerSettings,
} from "../components/certificates/issuer.ts";
import type { CertManagerInstall } from "../components/certificates/certManager.ts";
import { checkSolver, missingLogin } from "./dns01.ts";
import { DNS_LABEL, HOST_NAME, LOGIN, MAIL, OBJECT_NAME } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";
import { readFolder } from "./images.ts";

/** Keys of secrets that may be left out, which Pulumi.yaml cannot declare as such. */
export const ACME_KEY = "certificates.acmeKey";
export const DNS01_SECRET_VALUE = "certificates.dns01Secret";

const ISSUERS = ["selfSigned", "acmeStaging", "acme", "existing"] as const;
type IssuerName = (typeof ISSUERS)[number];

const HTTPS_URL: Allowed = {
    fits: (value) => ADDRESS.fits(value) && value.startsWith("https:"),
    words: "an https:// URL such as https://acme.example.com/directory",
};
const GROUP = pattern(
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "an API group such as cert-manager.io",
);
const KIND = pattern(/^[A-Z][A-Za-z0-9]{0,62}$/, "a kind such as ClusterIssuer");
/** Issuers of cert-manager itself; its webhook takes no other kind of its group. */
const CERT_MANAGER = { group: "cert-manager.io", kinds: ["ClusterIssuer", "Issuer"] };
const CHART = pattern(
    /^(oci:\/\/|https:\/\/|\.{0,2}\/)\S+$/,
    "oci://…, https://…/chart.tgz, or the path of a folder such as ./charts/cert-manager",
);
const REGISTRY = pattern(
    /^[a-z0-9][-a-z0-9.]*(:\d+)?(\/[a-z0-9][-a-z0-9._]*)*$/,
    "a registry and folder such as quay.io/jetstack",
);
/** Older ones have no switch for the Gateway API. */
const CHART_VERSION = pattern(
    /^v(1\.(1[5-9]|[2-9]\d)|[2-9]\d?\.\d{1,2})\.\d{1,3}$/,
    "a version such as v1.19.1, v1.15.0 or newer",
);
/** Of a provider: a token, or a file of JSON. */
const SECRET: Allowed = { fits: (value) => value.length <= 65_536, words: "at most 64 KiB" };
/** PEM, of one certificate or several. */
const CERTIFICATES: Allowed = { fits: isPem, words: "certificates as PEM" };

/** A Secret of type kubernetes.io/tls that somebody else keeps up to date. */
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
    const enabled = read.boolean("certificates.enabled");
    const name = read.optional("certificates.secretName", OBJECT_NAME);
    const namespace = read.optional("certificates.secretNamespace", DNS_LABEL);
    const secret = name === undefined ? undefined : { name, namespace };
    const issued = enabled && secret === undefined;
    const issuer = readIssuer(read, issued);
    const install = readInstall(read);
    refuseContradictions(read, secret);
    if (!enabled) return undefined;
    const hostname = read.required("edge.hostname", HOST_NAME, "certificates.enabled is true");
    return { hostname, secret, issuer, install: issued ? install : undefined };
}

function readInstall(read: ConfigReader): CertManagerInstall | undefined {
    const settings = {
        chart: read.required("certificates.chart", CHART),
        chartVersion: read.required("certificates.chartVersion", CHART_VERSION),
        imageRegistry: readFolder(read, "certificates.imageRegistry", REGISTRY),
    };
    return installs(read) ? settings : undefined;
}

function installs(read: ConfigReader): boolean {
    return read.oneOf("certificates.certManager", ["install", "existing"]) === "install";
}

function readIssuer(read: ConfigReader, issued: boolean): IssuerSettings {
    const issuer = read.oneOf("certificates.issuer", ISSUERS);
    const existing = readExisting(read, issued && issuer === "existing");
    const acme = readAcme(read, issuer, issued);
    if (issuer === "existing") return { type: "existing", ...existing };
    return issuer === "selfSigned" ? { type: "selfSigned" } : acme;
}

function readExisting(read: ConfigReader, used: boolean) {
    const name = used
        ? read.required("certificates.issuerName", OBJECT_NAME, "certificates.issuer is existing")
        : read.optional("certificates.issuerName", OBJECT_NAME);
    const kind = read.required("certificates.issuerKind", KIND);
    const group = read.required("certificates.issuerGroup", GROUP);
    if (group === CERT_MANAGER.group && !CERT_MANAGER.kinds.includes(kind)) {
        read.addError(
            "certificates.issuerKind",
            `is ${JSON.stringify(kind)}; allowed: ${CERT_MANAGER.kinds.join(", ")}, since ` +
                `certificates.issuerGroup is ${group}`,
        );
    }
    return { name: name ?? "", kind, group };
}

function readAcme(read: ConfigReader, issuer: IssuerName, issued: boolean): AcmeIssuer {
    const server = read.optional("certificates.acmeServer", HTTPS_URL);
    const isLetsEncrypt = (issuer === "acme" || issuer === "acmeStaging") && server === undefined;
    const email =
        issued && isLetsEncrypt
            ? read.required("certificates.email", MAIL, `certificates.issuer is ${issuer}`)
            : read.optional("certificates.email", MAIL);
    return {
        type: "acme",
        server: server ?? ACME_SERVERS[issuer === "acme" ? "acme" : "acmeStaging"],
        email,
        caBundle: read.optional("certificates.acmeCaBundle", CERTIFICATES),
        account: readAccount(read),
        challenge: readChallenge(read, issuer === "acme" || issuer === "acmeStaging"),
    };
}

/** External account binding, which ACME servers other than Let's Encrypt ask for. */
function readAccount(read: ConfigReader): AcmeIssuer["account"] {
    const keyId = read.optional("certificates.acmeKeyId", NAME);
    const given = read.secret(ACME_KEY, LOGIN);
    if (keyId === undefined && given !== undefined) {
        read.addError(
            ACME_KEY,
            "is set, and has no effect; allowed: nothing, since certificates.acmeKeyId is not set",
        );
    }
    const reason = ", since certificates.acmeKeyId is set";
    return keyId === undefined
        ? undefined
        : { keyId, key: read.requiredSecret(ACME_KEY, LOGIN, reason) };
}

function readChallenge(read: ConfigReader, isAcme: boolean): AcmeIssuer["challenge"] {
    const challenge = read.oneOf("certificates.challenge", ["http01", "dns01"]);
    const solver = read.json("certificates.dns01");
    const secret: pulumi.Output<string> | undefined = read.secret(DNS01_SECRET_VALUE, SECRET);
    if (challenge === "http01" || !isAcme) return { type: "http01" };
    const { findings, names } = checkSolver(solver);
    for (const words of findings) read.addError("certificates.dns01", words);
    const lacking = missingLogin(solver);
    if (lacking !== undefined && installs(read)) {
        const reason =
            "since the stack's own cert-manager gives an Issuer no credentials of its pod";
        read.addError("certificates.dns01", `${lacking}, ${reason}`);
    }
    const isUsed = names.includes(DNS01_SECRET.name);
    if (isUsed && secret === undefined) {
        read.addError(
            DNS01_SECRET_VALUE,
            `is not set; allowed: a secret, since certificates.dns01 names ${DNS01_SECRET.name}`,
        );
    }
    if (!isUsed && secret !== undefined) {
        read.addError(
            DNS01_SECRET_VALUE,
            `is set, and nothing reads it; allowed: a secret that certificates.dns01 names as ` +
                `${DNS01_SECRET.name}, key ${DNS01_SECRET.key}`,
        );
    }
    return { type: "dns01", solver: solver as Record<string, unknown>, secret };
}

/** Keys that have no effect, each with the value of another that takes it away. */
function refuseContradictions(read: ConfigReader, secret: ExistingSecret | undefined): void {
    const issuer = read.oneOf("certificates.issuer", ISSUERS);
    const isAcme = issuer === "acme" || issuer === "acmeStaging";
    const challenge = read.oneOf("certificates.challenge", ["http01", "dns01"]);
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
        [DNS01_SECRET_VALUE]: notDns01,
    };
    for (const [key, reason] of Object.entries(unused)) {
        if (reason !== undefined && read.isSet(key)) {
            read.addError(key, `is set, and has no effect; allowed: nothing, since ${reason}`);
        }
    }
}

function isPem(value: string): boolean {
    const blocks = value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const rest = blocks.reduce((text, block) => text.replace(block, ""), value);
    return blocks.length > 0 && rest.trim() === "" && blocks.every(isCertificate);
}

function isCertificate(pem: string): boolean {
    try {
        return new X509Certificate(pem).raw.length > 0;
    } catch {
        return false;
    }
}
