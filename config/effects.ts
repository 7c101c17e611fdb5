import { GENERATED_SECRETS } from "@property-search/contract";
import { SERVICE_SETTINGS, type Setting } from "@property-search/contract/settings";
import { receiverWarnings } from "./alertReceivers.ts";
import { declarations } from "./declarations.ts";

/** The value of a key; undefined when it is not set. */
type Value = (key: string) => string | undefined;

/** Keys that only some values of another key give an effect. */
interface Effect {
    /** Names, or beginnings that end with a dot. */
    readonly of: readonly string[];
    readonly when: readonly [
        key: string,
        isWanted: (value: string | undefined, valueOf: Value) => boolean,
    ];
}

const OF_OUR_PROMETHEUS = [
    ...["prometheusImage", "cpuRequest", "memoryLimit", "storage", "storageClass", "cluster"].map(
        (name) => `monitoring.${name}`,
    ),
    ...["alertmanager.", "grafana.", "alerts.slackChannel", "alerts.slackCriticalChannel"],
    // Policies let readers of our own in, and of no other.
    "keda.namespace",
];
const is =
    (...values: readonly string[]) =>
    (value: string | undefined) =>
        values.includes(value ?? "");
const isSet = (value: string | undefined) => value !== undefined;
const isNot = (no: string) => (value: string | undefined) => value !== no;
/** Of gateway controllers, unless the stack names a way to retry itself. */
const isPresetOf =
    (...controllers: readonly string[]) =>
    (value: string | undefined, valueOf: Value) =>
        valueOf("edge.retryFilter") !== "preset" || is(...controllers)(value);

/** The first that leaves a key without effect is named. A key that has none needs no line. */
export const EFFECTS: readonly Effect[] = [
    ...ofService(),
    { of: ["service.upstreamProxy"], when: ["service.provider", is("openai")] },
    {
        of: ["service.costPerRequestDollars"],
        when: ["service.tokenPrices", (value) => !isSet(value)],
    },
    { of: ["autoscaling.missesPerSecondPerPod"], when: ["autoscaling.metric", isNot("none")] },
    { of: ["keda.namespace"], when: ["autoscaling.metric", is("keda", "prometheus-adapter")] },
    {
        of: ["redis.url", "redis.clustered", "redis.secretName", "redis.caSecretName"],
        when: ["redis.mode", is("external")],
    },
    {
        of: ["redis.certSecretName", "redis.sentinelMaster", "redis.sentinelDataPort"],
        when: ["redis.mode", is("external")],
    },
    { of: ["redis.sentinelDataPort"], when: ["redis.sentinelMaster", isSet] },
    {
        of: ["redis.image", "redis.memoryLimit", "redis.cpuRequest", "redis.storage"],
        when: ["redis.mode", isNot("external")],
    },
    { of: ["redis.nodeImage"], when: ["redis.mode", isNot("external")] },
    {
        of: ["redis.storageClass", "monitoring.redisExporterImage", "alerts.redisMemoryPercent"],
        when: ["redis.mode", isNot("external")],
    },
    { of: ["alerts.redisEvictionsPerSecond"], when: ["redis.mode", isNot("external")] },
    {
        of: ["edge.retryAttempts", "edge.retryIntervalMilliseconds", "edge.retryTimeoutSeconds"],
        when: ["edge.retryFilter", isNot("none")],
    },
    {
        of: ["edge.retryTimeoutSeconds", "edge.retryBodyBytes"],
        // The preset of a controller is its own.
        when: ["edge.retryFilter", is("traefik", "preset")],
    },
    {
        of: ["edge.retryAttempts", "edge.retryIntervalMilliseconds"],
        when: ["edge.controller", isPresetOf("traefik", "envoy-gateway")],
    },
    {
        of: ["edge.retryTimeoutSeconds", "edge.retryBodyBytes"],
        when: ["edge.controller", isPresetOf("traefik")],
    },
    {
        of: [
            ...["certificates.", "edge.httpsPort", "edge.publicHttpsPort"],
            ...["alerts.certificateWarningDays", "alerts.certificateCriticalDays"],
        ],
        when: ["certificates.enabled", is("true")],
    },
    {
        of: ["certificates.email", "certificates.challenge"],
        when: ["certificates.issuer", is("acme", "acmeStaging")],
    },
    {
        of: [
            ...["certificates.issuer", "certificates.email", "certificates.challenge"],
            ...["certificates.chart", "certificates.chartVersion", "certificates.imageRegistry"],
        ],
        when: ["certificates.secretName", (value) => !isSet(value)],
    },
    {
        of: ["certificates.issuerKind", "certificates.issuerGroup"],
        when: ["certificates.issuer", is("existing")],
    },
    {
        of: ["certificates.chart", "certificates.chartVersion", "certificates.imageRegistry"],
        when: ["certificates.certManager", is("install")],
    },
    {
        of: ["monitoring.", "alertmanager.", "grafana.", "alerts.", "prometheus."],
        when: ["monitoring.enabled", is("true")],
    },
    { of: ["grafana."], when: ["grafana.enabled", is("true")] },
    { of: OF_OUR_PROMETHEUS, when: ["prometheus.source", is("stack")] },
    {
        of: ["monitoring.remoteWriteUsername", "monitoring.remoteWriteToken"],
        when: ["monitoring.remoteWriteUrl", isSet],
    },
    {
        of: ["alerts.slackChannel", "alerts.slackCriticalChannel"],
        when: ["alerts.slackUrl", isSet],
    },
];

/** What a stack's config allows and its owner should know, in sentences. */
export function warningsOf(valueOf: Value): string[] {
    return [...uselessKeys(valueOf), ...receiverWarnings(valueOf)];
}

/**
 * Keys that a stack sets to no effect, since another key's value leaves them out: a sentence for each of these. A value that is the
 * default counts as not set: Pulumi hands a program both in the same way. Generated secrets are set always.
 */
function uselessKeys(valueOf: Value): string[] {
    const keys = [...declarations()].filter(([key, { text }]) => {
        const value = valueOf(key);
        return !isGenerated(key) && value !== undefined && value !== text;
    });
    const useless = new Map<string, string[]>();
    for (const [key] of keys) {
        const effect = EFFECTS.find(
            ({ of, when: [other, isWanted] }) =>
                key !== other &&
                of.some((one) => isOf(one, key)) &&
                !isWanted(valueOf(other), valueOf),
        );
        if (!effect) continue;
        const [other] = effect.when;
        const value = valueOf(other);
        const reason = `${other} ${value === undefined ? "is not set" : `is ${JSON.stringify(value)}`}`;
        useless.set(reason, [...(useless.get(reason) ?? []), key]);
    }
    return [...useless].map(([reason, names]) => {
        const words = names.length === 1 ? "is set and has" : "are set and have";
        return `${names.join(", ")} ${words} no effect, since ${reason}`;
    });
}

function ofService(): readonly Effect[] {
    const rows: Readonly<Record<string, Setting>> = SERVICE_SETTINGS;
    return Object.values(rows).flatMap(({ key, usedIf }): Effect[] => {
        if (key === undefined || !usedIf) return [];
        const [name, isWanted] = usedIf;
        return [{ of: [key], when: [rows[name]?.key ?? "", (text = "") => isWanted(text)] }];
    });
}

function isGenerated(key: string): boolean {
    return GENERATED_SECRETS.some((one) => one === key);
}

function isOf(name: string, key: string): boolean {
    return name === key || (name.endsWith(".") && key.startsWith(name));
}
