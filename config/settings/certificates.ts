import {
    ADDRESS,
    BOOLEAN,
    NAME,
    oneOf,
    pattern,
    setting,
    text,
} from "@property-search/contract/settings";
import { X509Certificate } from "node:crypto";
import { DNS_LABEL, json, LOGIN, MAIL, OBJECT_NAME } from "../allowed.ts";
import { is, isSet, SECRET, usedIf, type Condition } from "./row.ts";

const HTTPS_URL = text(
    (value) => ADDRESS.fits(value) && value.startsWith("https:"),
    "an https:// URL such as https://acme.example.com/directory",
);
const GROUP = pattern(
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "an API group such as cert-manager.io",
);
const KIND = pattern(/^[A-Z][A-Za-z0-9]{0,62}$/, "a kind such as ClusterIssuer");
const CHART = pattern(
    /^(oci:\/\/|https:\/\/|\.{0,2}\/)\S+$/,
    "oci://…, https://…/chart.tgz, or the path of a folder such as ./charts/cert-manager",
);
const REGISTRY_FOLDER = pattern(
    /^[a-z0-9][-a-z0-9.]*(:\d+)?(\/[a-z0-9][-a-z0-9._]*)*$/,
    "a registry and folder such as quay.io/jetstack",
);
/** Older ones have no switch for the Gateway API. */
const CHART_VERSION = pattern(
    /^v(1\.(1[5-9]|[2-9]\d)|[2-9]\d?\.\d{1,2})\.\d{1,3}$/,
    "a version such as v1.19.1, v1.15.0 or newer",
);
/** Of a provider: a token, or a file of JSON. */
const SOLVER_SECRET = text((value) => value.length <= 65_536, "at most 64 KiB");
/** One certificate or several. */
const PEM = text(isPem, "certificates as PEM");

const ISSUED: Condition = ["certificates.secretName", (value) => !isSet(value)];
const BY_ACME = usedIf(["certificates.issuer", is("acme", "acmeStaging")], ISSUED);
const BY_EXISTING = usedIf(["certificates.issuer", is("existing")]);
const INSTALLED = usedIf(ISSUED, ["certificates.certManager", is("install")]);

export const CERTIFICATES = {
    "certificates.enabled": setting(BOOLEAN, false)`
        Whether the Gateway serves HTTPS under edge.hostname. The keys below set the source of the certificate;
        docs/edge.md compares them.`,
    "certificates.secretName": setting(OBJECT_NAME, "")`
        Existing Secret of type kubernetes.io/tls that the Gateway serves. Not set: the stack requests a certificate.`,
    "certificates.secretNamespace": setting(DNS_LABEL, "")`
        Namespace of that Secret, where the stack creates a ReferenceGrant. Not set: the Gateway's.`,
    "certificates.certManager": setting(oneOf("install", "existing"), "install")`
        install (the stack's own cert-manager; fails if the cluster already has one) or existing.`,
    "certificates.issuer": setting(
        oneOf("selfSigned", "acmeStaging", "acme", "existing"),
        "acmeStaging",
        usedIf(ISSUED),
    )`
        Issuer of the certificate: selfSigned, acmeStaging (Let's Encrypt staging), acme (Let's Encrypt or
        certificates.acmeServer) or existing (certificates.issuerName).`,
    "certificates.issuerName": setting(OBJECT_NAME, "")`
        Name of an existing issuer. Required when certificates.issuer is existing.`,
    "certificates.issuerKind": setting(KIND, "ClusterIssuer", BY_EXISTING)`
        Kind of the existing issuer: ClusterIssuer, Issuer (in the Gateway's namespace) or a kind of another API
        group.`,
    "certificates.issuerGroup": setting(GROUP, "cert-manager.io", BY_EXISTING)`
        API group of the existing issuer.`,
    "certificates.email": setting(MAIL, "", BY_ACME)`
        Contact of the ACME account. Required with Let's Encrypt.`,
    "certificates.acmeServer": setting(HTTPS_URL, "")`
        https:// URL of the directory of another ACME server. Not set: Let's Encrypt.`,
    "certificates.acmeCaBundle": setting(PEM, "")`
        CA certificates (PEM) of that server. Not set: the public ones.`,
    "certificates.acmeKeyId": setting(NAME, "")`
        Key ID for external account binding, which some ACME servers require. Not set: none.`,
    "certificates.acmeKey": setting(LOGIN, "", SECRET)`
        HMAC key for external account binding (base64url), set with --secret. Required with certificates.acmeKeyId.`,
    "certificates.challenge": setting(oneOf("http01", "dns01"), "http01", BY_ACME)`
        ACME challenge: http01 (through the Gateway) or dns01.`,
    "certificates.dns01": setting(json("string"), "")`
        DNS-01 solver in cert-manager's format, as JSON with exactly one provider. Required when certificates.challenge
        is dns01. Its credentials are a Secret in the Gateway's namespace, such as embedding-gateway-dns01, key
        secret.`,
    "certificates.dns01Secret": setting(SOLVER_SECRET, "", SECRET)`
        Value of the Secret embedding-gateway-dns01, key secret, set with --secret. Required where certificates.dns01
        refers to it.`,
    "certificates.chart": setting(CHART, "oci://quay.io/jetstack/charts/cert-manager", INSTALLED)`
        cert-manager's Helm chart: an OCI reference, the URL of an archive, or a directory.`,
    "certificates.chartVersion": setting(CHART_VERSION, "v1.19.5", INSTALLED)`
        Version of that chart, v1.19.0 or newer.`,
    "certificates.imageRegistry": setting(REGISTRY_FOLDER, "quay.io/jetstack", INSTALLED)`
        Registry and path of cert-manager's images, such as those of a mirror; policies/stacks allows
        quay.io/jetstack.`,
};

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
