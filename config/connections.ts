import { isIP } from "node:net";
import { externalDestinations, type Destination } from "../components/networkPolicies/policies.ts";
import { PURPOSES, type NetworkConfig, type Purpose } from "./network.ts";
import type { ConfigReader } from "./reader.ts";
import type { CertificatesConfig } from "./certificates.ts";
import type { ExampleConfig } from "./example.ts";
import type { InsightsConfig } from "./insights.ts";
import type { MonitoringConfig } from "./monitoring.ts";
import type { RedisConfig } from "./redis.ts";
import type { ServiceConfig } from "./service.ts";

interface Connecting {
    readonly service: ServiceConfig;
    readonly redis: RedisConfig;
    readonly monitoring: MonitoringConfig;
    readonly insights: InsightsConfig | undefined;
    readonly example: ExampleConfig | undefined;
    readonly certificates: CertificatesConfig | undefined;
    readonly network: NetworkConfig;
}

/** In the place of URLs of Slack, which are secrets: their host differs, but not their port. */
const SLACK = "https://hooks.slack.com";

/** URLs of one key that the stack's pods connect to. */
interface Connection {
    readonly purpose: Exclude<Purpose, "dns">;
    readonly key: string;
    /** None: the key is not set, or not used. */
    readonly urls: readonly string[];
    /** Key that decides whether the URLs are used. */
    readonly under?: string;
    /** Ports of the same hosts that no URL names. */
    readonly ports?: readonly number[];
    /** Whether the host is outside of the cluster, even if its name could be a Service's. */
    readonly isOutside?: boolean;
}

/** Destinations of a purpose: those that the stack sets, else any outside the cluster on the ports of its URLs. */
export function destinationsOf(config: Connecting, purpose: Connection["purpose"]): Destination[] {
    const given = config.network.destinations[purpose];
    if (given) return [...given];
    const ports = connectionsOf(config)
        .filter((connection) => connection.purpose === purpose)
        .flatMap(({ urls, ports: more = [] }) => [...urls.map(portOf), ...more]);
    return [...new Set(ports)].flatMap(externalDestinations);
}

/**
 * Finds URLs of Services without a destination: network policies are about pods and their own ports, of which
 * a Service's name tells neither, and a connection that none of them allows only ever times out.
 */
export function checkConnections(read: ConfigReader, config: Connecting): void {
    const connections = connectionsOf(config);
    const { destinations } = config.network;
    const toServices = connections.filter(({ isOutside = false }) => !isOutside);
    for (const { purpose, key, urls } of toServices) {
        if (destinations[purpose]) continue;
        for (const url of urls.filter(mayBeInside)) {
            const { service, namespace = "models" } = serviceOf(url);
            const port = Number(new URL(url).port || 8080);
            const pods = JSON.stringify([{ namespace, podLabels: { app: service }, port }]);
            const addresses = JSON.stringify([{ cidr: "0.0.0.0/0", port: portOf(url) }]);
            read.addError(
                key,
                `is "${url}"; allowed: with network.destinations.${purpose}: for a Service its pods and their own port, ` +
                    `such as ${pods}, for a host outside of the cluster its addresses, such as ${addresses}`,
            );
        }
    }
    for (const { purpose, key, urls } of toServices) {
        const given = destinations[purpose] ?? [];
        const namespaces = given.flatMap((one) => ("namespace" in one ? [one.namespace] : []));
        // An address may be of any namespace's.
        if (namespaces.length < given.length) continue;
        for (const url of urls.filter(mayBeInside)) {
            const { namespace } = serviceOf(url);
            if (namespace === undefined || namespaces.includes(namespace)) continue;
            const others = [...new Set(namespaces)].join(", ");
            const found = `is "${url}", and network.destinations.${purpose} has pods of ${others} alone`;
            read.addError(
                key,
                `${found}; allowed: with pods of ${namespace} there, or another URL`,
            );
        }
    }
    for (const purpose of PURPOSES) {
        const own = connections.filter((connection) => connection.purpose === purpose);
        if (!destinations[purpose] || own.length === 0) continue;
        if (own.some(({ urls }) => urls.length > 0)) continue;
        const keys = own.map(({ key }) => key);
        const [decider] = own.flatMap(({ under }) => under ?? []);
        const words = [
            new Intl.ListFormat("en-GB").format(keys),
            keys.length > 1 ? "lead nowhere" : "leads nowhere",
            ...(decider === undefined ? [] : [`under this ${decider}`]),
        ];
        const key = `network.destinations.${purpose}`;
        read.addError(key, `is set; allowed: nothing, since ${words.join(" ")}`);
    }
}

function connectionsOf({
    service,
    redis,
    monitoring,
    insights,
    example,
    certificates,
}: Connecting): readonly Connection[] {
    const { provider, upstreamUrl, upstreamFallbackUrls, tracingUrl } = service.settings;
    const proxy = provider === "openai" ? service.upstreamProxy : "";
    const isDirect = provider === "openai" && proxy === "";
    const { remoteWrite } = monitoring.prometheus;
    const { webhookUrl, watchdogUrl } = monitoring.alertmanager.receivers;
    const external = redis.mode === "external" ? redis : undefined;
    return [
        {
            purpose: "upstream",
            key: "service.upstreamUrl",
            under: "service.provider",
            urls: isDirect ? listed(upstreamUrl) : [],
        },
        {
            purpose: "upstream",
            key: "service.upstreamFallbackUrls",
            urls: isDirect ? listed(upstreamFallbackUrls) : [],
        },
        {
            purpose: "upstream",
            key: "service.upstreamProxy",
            urls: listed(proxy),
        },
        { purpose: "tracing", key: "tracing.url", urls: listed(tracingUrl) },
        {
            purpose: "redis",
            key: "redis.url",
            under: "redis.mode",
            urls: listed(external?.url),
            ports: external?.sentinel ? [external.sentinel.dataPort] : [],
        },
        {
            purpose: "remoteWrite",
            key: "monitoring.remoteWriteUrl",
            urls: listed(remoteWrite?.url),
        },
        { purpose: "webhook", key: "alerts.webhookUrl", urls: listed(webhookUrl) },
        {
            purpose: "acme",
            key: "certificates.acmeServer",
            under: "certificates.issuer",
            urls: listed(acmeServerOf(certificates)),
        },
        { purpose: "watchdog", key: "alerts.watchdogUrl", urls: listed(watchdogUrl) },
        {
            purpose: "prometheus",
            key: "prometheus.url",
            under: "insights.enabled",
            urls: listed(insights?.prometheus?.url),
        },
        {
            purpose: "slack",
            key: "alerts.slackUrl",
            urls: monitoring.alertmanager.slackUrl === undefined ? [] : [SLACK],
        },
        {
            purpose: "slack",
            key: "insights.slackUrl",
            urls: insights?.slackUrl === undefined ? [] : [SLACK],
        },
        {
            purpose: "embeddings",
            key: "example.serviceUrl",
            urls: listed(example?.outside.service),
        },
        {
            purpose: "embeddings",
            key: "edge.hostname",
            urls: listed(example?.outside.gateway),
            isOutside: true,
        },
        { purpose: "chat", key: "example.chatUrl", urls: listed(example?.outside.chat) },
    ];
}

/** Where a cert-manager of the stack's own asks for certificates; an existing one is not ours to let out. */
function acmeServerOf(certificates: Connecting["certificates"]): string | undefined {
    const issuer = certificates?.install && certificates.issuer;
    return issuer?.type === "acme" ? issuer.server : undefined;
}

/** URLs of a key's value; what is none has been found already. */
function listed(value = ""): readonly string[] {
    return value.split(",").filter((url) => URL.canParse(url));
}

/**
 * Whether the host of a URL may be a Service: a name with `svc` behind its namespace, one of a single label, and
 * one of two that is spoken to without TLS, as `collector.tracing` is and `example.com` hardly.
 */
function mayBeInside(url: string): boolean {
    const { hostname, protocol } = new URL(url);
    if (isIP(hostname.replace(/^\[|\]$/g, "")) > 0 || hostname === "localhost") return false;
    const labels = hostname.replace(/\.$/, "").split(".");
    if (labels.length === 1 || labels.indexOf("svc", 2) > 0) return true;
    if (labels.slice(-2).join(".") === "cluster.local") return true;
    return labels.length === 2 && (protocol === "http:" || protocol === "redis:");
}

/** The Service that the host of a URL names, by the two labels before `svc`; one label says no namespace. */
function serviceOf(url: string): { readonly service: string; readonly namespace?: string } {
    const labels = new URL(url).hostname.replace(/\.$/, "").split(".");
    const end = labels.indexOf("svc", 2);
    const [service = "", namespace] = end > 0 ? labels.slice(end - 2, end) : labels;
    return namespace === undefined ? { service } : { service, namespace };
}

function portOf(url: string): number {
    const { port, protocol } = new URL(url);
    return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}
