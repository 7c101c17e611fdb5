import { describe, expect, test } from "@jest/globals";
import { externalDestinations } from "../../components/networkPolicies/policies.ts";
import { DNS_PRESETS } from "../../components/networkPolicies/dns.ts";
import { allowedConnections } from "../../config/traffic.ts";
import { loadStack } from "../support/loadStack.ts";

/** Traffic of stack dev with other values for some keys. */
function traffic(change: Record<string, string | object> = {}) {
    const texts = Object.entries(change).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return allowedConnections(loadStack(Object.fromEntries(texts) as Record<string, string>));
}

const OPENAI = {
    "service.provider": "openai",
    "service.upstreamApiKey": "key",
    "autoscaling.missesPerSecondPerPod": "200",
};
const EXTERNAL = { "redis.mode": "external", "redis.secretName": "managed" };
const POD = { namespace: "models", podLabels: { app: "tei" }, port: 8080 };

describe("Traffic that leaves the stack", () => {
    test("goes nowhere by default", () => {
        const none: unknown[] = [];
        expect(traffic()).toMatchObject({ externalRedis: none, upstream: none, tracing: none });
        expect(traffic().monitoring).toEqual({
            readers: ["keda"],
            apiServerCidrs: [],
            exporter: true,
            grafana: true,
            remoteWrite: [],
            receivers: [],
        });
    });

    test("goes out of the cluster on the ports that the URLs name", () => {
        const urls = {
            "service.upstreamUrl": "https://a.example/v1",
            "service.upstreamFallbackUrls": "http://b.models.example:8000,https://c.example/v1",
        };
        expect(traffic({ ...OPENAI, ...urls }).upstream).toEqual([
            ...externalDestinations(443),
            ...externalDestinations(8000),
        ]);
        const proxy = { "service.upstreamProxy": "http://proxy.somewhere.example:3128" };
        expect(traffic({ ...OPENAI, ...urls, ...proxy }).upstream).toEqual(
            externalDestinations(3128),
        );
        expect(traffic({ "tracing.url": "http://collector.at.example:4318" }).tracing).toEqual(
            externalDestinations(4318),
        );
        const managed = { ...EXTERNAL, "redis.url": "rediss://a.example:6380" };
        expect(traffic(managed).externalRedis).toEqual(externalDestinations(6380));
        const sentinels = "redis://a.at.example:26379,redis://b.at.example:26379";
        const master = { "redis.sentinelMaster": "cache", "redis.url": sentinels };
        expect(traffic({ ...EXTERNAL, ...master }).externalRedis).toEqual([
            ...externalDestinations(26379),
            ...externalDestinations(6379),
        ]);
    });

    test("is allowed from monitoring to the configured receivers", () => {
        const change = {
            "keda.namespace": "autoscaling",
            "alerts.slackUrl": "https://hooks.slack.example/T1",
            "alerts.slackChannel": "#alerts",
            "alerts.webhookUrl": "http://inbox.models.svc/alerts",
            "alerts.watchdogUrl": "https://switch.example:8443/1",
            "monitoring.gatewayAddress": "gateway.somewhere:8081",
            "monitoring.remoteWriteUrl": "http://10.0.0.7:9009/push",
            "network.destinations": { webhook: [POD] },
        };
        expect(traffic(change).monitoring).toEqual({
            readers: ["autoscaling"],
            apiServerCidrs: [],
            exporter: true,
            grafana: true,
            remoteWrite: externalDestinations(9009),
            receivers: [...externalDestinations(443), POD, ...externalDestinations(8443)],
            gatewayPort: 8081,
        });
    });

    test("is allowed to the stack's destinations only", () => {
        const upstream = [POD, { cidr: "10.1.0.0/16", port: 443 }];
        const change = {
            ...OPENAI,
            "service.upstreamUrl": "http://tei.models.svc.cluster.local/v1",
            "service.upstreamFallbackUrls": "https://c.example/v1",
            "network.destinations": { upstream },
        };
        expect(traffic(change).upstream).toEqual(upstream);
    });
});

describe("A URL that may be a Service requires its pods", () => {
    test.each<[string, Record<string, string>]>([
        ["tracing.url", { "tracing.url": "http://collector.tracing.svc:4318" }],
        ["tracing.url", { "tracing.url": "https://pod-0.collector.tracing.svc.other.domain" }],
        ["tracing.url", { "tracing.url": "http://collector.tracing:4318" }],
        ["tracing.url", { "tracing.url": "https://collector" }],
        ["redis.url", { ...EXTERNAL, "redis.url": "redis://dragonfly.cache:6379" }],
        ["service.upstreamUrl", { ...OPENAI, "service.upstreamUrl": "http://tei.models.svc" }],
        ["monitoring.remoteWriteUrl", { "monitoring.remoteWriteUrl": "http://mimir.metrics.svc/" }],
        ["alerts.webhookUrl", { "alerts.webhookUrl": "http://hook.oncall.svc/" }],
        ["alerts.watchdogUrl", { "alerts.watchdogUrl": "http://hook.oncall.svc/" }],
    ])("%s: %j", (key, change) => {
        expect(() => traffic(change)).toThrow(
            new RegExp(`property-search:${key} is ".*"; allowed: with network\\.destinations\\.`),
        );
    });

    test("with an example of its own namespace, and of its port outside", () => {
        const change = { "tracing.url": "http://collector.tracing.svc:4318" };
        const example = [{ namespace: "tracing", podLabels: { app: "collector" }, port: 4318 }];
        const words = `with network.destinations.tracing: for a Service its pods and their own port, such as ${JSON.stringify(example)}`;
        expect(() => traffic(change)).toThrow(words);
        expect(() => traffic(change)).toThrow('such as [{"cidr":"0.0.0.0/0","port":4318}]');
    });

    test.each(["https://example.com", "http://10.0.0.7:4318", "http://[fd00::7]:4318"])(
        "%s is none",
        (url) => {
            expect(() => traffic({ "tracing.url": url })).not.toThrow();
        },
    );
});

describe("A URL of a Service whose pods are elsewhere", () => {
    const tracing = [{ namespace: "observability", podLabels: { app: "otel" }, port: 4318 }];
    const to = (url: string, destinations: unknown[] = tracing) =>
        traffic({ "tracing.url": url, "network.destinations": { tracing: destinations } });

    test.each(["http://otel.other.svc:4318", "http://otel.other:4318", "http://a.otel.other.svc"])(
        "%s is rejected",
        (url) => {
            expect(() => to(url)).toThrow(
                `property-search:tracing.url is "${url}", and network.destinations.tracing has pods of observability alone; allowed: with pods of other there`,
            );
        },
    );

    test.each([
        "http://otel.observability.svc:4318",
        "http://otel:4318",
        "https://otel.example.com",
    ])("%s is not", (url) => {
        expect(() => to(url)).not.toThrow();
    });

    test("is not where an address is listed, or each of several namespaces has its URL", () => {
        const address = { cidr: "10.0.0.0/8", port: 4318 };
        expect(() => to("http://otel.other.svc:4318", [...tracing, address])).not.toThrow();
        const change = {
            ...OPENAI,
            "service.upstreamUrl": "http://a.one.svc/v1",
            "service.upstreamFallbackUrls": "http://b.two.svc/v1",
        };
        const pods = (...names: string[]) => ({
            upstream: names.map((namespace) => ({ namespace, port: 8080 })),
        });
        const load = (...names: string[]) =>
            traffic({ ...change, "network.destinations": pods(...names) });
        expect(() => load("one", "two")).not.toThrow();
        expect(() => load("one")).toThrow(/service\.upstreamFallbackUrls is .*pods of one alone/);
    });
});

describe("network.destinations", () => {
    test.each<[unknown, RegExp]>([
        ["no", /network\.destinations is "no"; allowed: an object such as/],
        [[], /network\.destinations is \[\]; allowed: an object/],
        [{ upstreams: [POD] }, /destinations\.upstreams is unknown; allowed: dns, upstream, /],
        [{ dns: [] }, /destinations\.dns is \[\]; allowed: a list of one or more of/],
        [{ dns: POD }, /destinations\.dns is \{.*\}; allowed: a list/],
        [{ dns: [null] }, /destinations\.dns\[0\] is null; allowed: either/],
        [{ dns: [{ port: 53 }] }, /destinations\.dns\[0\] is \{"port":53\}; allowed: either/],
        [{ dns: [{ ...POD, cidr: "10.0.0.0/8" }] }, /destinations\.dns\[0\] is .*allowed: either/],
        [{ dns: [{ cidr: "10.0.0.0" }] }, /dns\[0\]\.cidr is "10\.0\.0\.0"; allowed: address/],
        [{ dns: [{ cidr: 10 }] }, /dns\[0\]\.cidr is 10; allowed: address ranges/],
        [
            { dns: [{ namespace: "A" }] },
            /dns\[0\]\.namespace is "A"; allowed: a name of lower-case/,
        ],
        [
            { dns: [{ ...POD, port: "53" }] },
            /dns\[0\]\.port is "53"; allowed: a whole number from 1/,
        ],
        [{ dns: [{ ...POD, port: 65_536 }] }, /dns\[0\]\.port is 65536; allowed/],
        [{ webhook: [{ namespace: "a" }] }, /webhook\[0\]\.port is not set; allowed/],
        [{ dns: [{ ...POD, labels: {} }] }, /dns\[0\]\.labels is unknown; allowed: namespace, /],
        [{ dns: [{ ...POD, podLabels: "a" }] }, /dns\[0\]\.podLabels is "a"; allowed: an object/],
        [{ dns: [{ ...POD, podLabels: { app: 1 } }] }, /podLabels\["app"\] is 1; allowed: a label/],
        [
            { dns: [{ ...POD, podLabels: { "a b": "c" } }] },
            /podLabels is "a b"; allowed: a label key/,
        ],
        [{ tracing: [POD] }, /destinations\.tracing is set; allowed: nothing, since tracing\.url/],
    ])("%j", (value, words) => {
        expect(() => traffic({ "network.destinations": value as object })).toThrow(words);
    });

    test("reports all of its problems together", () => {
        const upstream = [{ port: 0 }, { cidr: "x", port: 1 }];
        const load = () => traffic({ "network.destinations": { upstream, no: 1 } });
        expect(load).toThrow(/upstream\[0\] is/);
        expect(load).toThrow(/upstream\[0\]\.port is 0/);
        expect(load).toThrow(/upstream\[1\]\.cidr is "x"/);
        expect(load).toThrow(/destinations\.no is unknown/);
    });
});

describe("network.dns", () => {
    test.each(Object.entries(DNS_PRESETS))("%s", (preset, destinations) => {
        expect(traffic({ "network.dns": [preset] }).dns).toEqual(destinations);
    });

    test("is the pods of kube-system and the node's own cache by default", () => {
        expect(traffic().dns).toEqual([
            { namespace: "kube-system", podLabels: {}, port: 53 },
            { cidr: "169.254.20.10/32", port: 53 },
        ]);
    });

    test("has what the stack gives besides, on 53 by default", () => {
        const dns = [{ cidr: "10.96.0.10/32" }];
        const change = { "network.dns": [], "network.destinations": { dns } };
        expect(traffic(change).dns).toEqual([{ cidr: "10.96.0.10/32", port: 53 }]);
    });

    test.each<[object, RegExp]>([
        [["coredns"], /network\.dns is "coredns"; allowed: a list of kube-system, node-local, /],
        [[], /network\.dns is empty; allowed: some of kube-system/],
    ])("%j is rejected", (value, words) => {
        expect(() => traffic({ "network.dns": value })).toThrow(words);
    });
});
