import { isIP } from "node:net";
import { RETRY_FILTERS, type RetrySettings } from "../components/edge/retries.ts";
import { pattern, type Allowed, type ConfigReader } from "./reader.ts";

const ISSUERS = ["selfSigned", "acmeStaging", "acme"] as const;

export const DNS_LABEL = pattern(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of lower-case letters, digits and dashes",
);
const HOST_NAME = pattern(
    /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a host name such as embeddings.example.com",
);
const MAIL = pattern(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "a mail address");
export const CIDR: Allowed = { fits: isCidr, words: "address ranges such as 10.0.0.0/16" };

export interface EdgeConfig {
    readonly gatewayClassName: string;
    readonly httpPort: number;
    readonly httpsPort: number;
    /** Undefined: any host name. */
    readonly hostname: string | undefined;
    readonly controllerNamespace: string;
    readonly controllerCidrs: readonly string[];
    /** Undefined: the gateway sends nothing again. */
    readonly retries: RetrySettings | undefined;
}

export interface CertificatesConfig {
    readonly issuer: (typeof ISSUERS)[number];
    /** Set unless the issuer is selfSigned. */
    readonly email: string | undefined;
    readonly hostname: string;
    readonly chartVersion: string;
}

export function readEdge(read: ConfigReader): EdgeConfig {
    return {
        gatewayClassName: read.required("edge.gatewayClassName", DNS_LABEL),
        httpPort: read.integer("edge.httpPort", 1, 65_535),
        httpsPort: read.integer("edge.httpsPort", 1, 65_535),
        hostname: read.optional("edge.hostname", HOST_NAME),
        controllerNamespace: read.required("edge.controllerNamespace", DNS_LABEL),
        controllerCidrs: read.list("edge.controllerCidrs", CIDR),
        retries: readRetries(read),
    };
}

function readRetries(read: ConfigReader): RetrySettings | undefined {
    const filter = read.oneOf("edge.retryFilter", ["none", ...RETRY_FILTERS]);
    const bounds = {
        attempts: read.integer("edge.retryAttempts", 1, 50),
        intervalMilliseconds: read.integer("edge.retryInterval", 10, 10_000),
        seconds: read.integer("edge.retrySeconds", 1, 300),
        bodyBytes: read.integer("edge.retryBodyBytes", 1024, 8_388_608),
    };
    return filter === "none" ? undefined : { filter, ...bounds };
}

/** @returns undefined when certificates are off. */
export function readCertificates(read: ConfigReader): CertificatesConfig | undefined {
    const enabled = read.boolean("certificates.enabled");
    const issuer = read.oneOf("certificates.issuer", ISSUERS);
    const version = pattern(/^v\d+\.\d+\.\d+$/, "a version such as v1.2.3");
    const chartVersion = read.required("certificates.chartVersion", version);
    const email =
        enabled && issuer !== "selfSigned"
            ? read.required("certificates.email", MAIL, `certificates.issuer is ${issuer}`)
            : read.optional("certificates.email", MAIL);
    if (!enabled) return undefined;
    const hostname = read.required("edge.hostname", HOST_NAME, "certificates.enabled is true");
    return { issuer, email, hostname, chartVersion };
}

function isCidr(value: string): boolean {
    const [address = "", length, ...rest] = value.split("/");
    const bits = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
    return rest.length === 0 && /^\d{1,3}$/.test(length ?? "") && Number(length) <= bits;
}
