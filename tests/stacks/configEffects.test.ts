import { describe, expect, jest, test } from "@jest/globals";
import { conditionsOf } from "../../config/effects.ts";
import { ROWS } from "../../config/settings/index.ts";
import { trapsIn, trapsOfStack } from "../../config/yamlTraps.ts";
import { renderStack } from "../../render.ts";
import { loadStack } from "../support/loadStack.ts";

const PROJECT = "property-search";

/** What a stack with these values over those of prod warns of, without the project's name. */
function warnings(change: Readonly<Record<string, string>> = {}): readonly string[] {
    return loadStack(change, "prod").warnings;
}

describe("a key without effect", () => {
    test.each([
        [
            { "redis.url": "rediss://r.example:6380" },
            'redis.url is set and has no effect, since redis.mode is "cluster"',
        ],
        [
            { "redis.clustered": "true", "redis.mode": "standalone" },
            'redis.clustered is set and has no effect, since redis.mode is "standalone"',
        ],
        [
            { "certificates.enabled": "false" },
            'certificates.issuer, certificates.email are set and have no effect, since certificates.enabled is "false"',
        ],
        [
            { "certificates.issuer": "selfSigned" },
            'certificates.email is set and has no effect, since certificates.issuer is "selfSigned"',
        ],
        [
            { "service.upstreamUrl": "https://api.example/v1" },
            'service.upstreamUrl is set and has no effect, since service.provider is "local"',
        ],
        [
            { "service.upstreamFallbackUrls": "https://b.example/v1" },
            'service.upstreamFallbackUrls is set and has no effect, since service.provider is "local"',
        ],
        [
            { "service.tokenPrices": "2024-01-25=0.02", "service.costPerRequestDollars": "0.5" },
            'service.costPerRequestDollars is set and has no effect, since service.tokenPrices is "2024-01-25=0.02"',
        ],
        [
            { "tracing.sampleRatio": "0.5" },
            "tracing.sampleRatio is set and has no effect, since tracing.url is not set",
        ],
        [
            { "monitoring.remoteWriteToken": "token" },
            "monitoring.remoteWriteToken is set and has no effect, since monitoring.remoteWriteUrl is not set",
        ],
        [
            { "alerts.slackChannel": "#alerts" },
            "alerts.slackChannel is set and has no effect, since alerts.slackUrl is not set",
        ],
        [
            { "monitoring.enabled": "false", "autoscaling.metric": "none" },
            'monitoring.cpuRequest, monitoring.memoryLimit, monitoring.storage, alertmanager.replicas, insights.enabled, insights.image are set and have no effect, since monitoring.enabled is "false"',
        ],
        [
            { "insights.enabled": "false", "insights.schedule": "0 3 * * *" },
            'insights.image, insights.schedule are set and have no effect, since insights.enabled is "false"',
        ],
        [
            { "edge.retryFilter": "none", "edge.retryAttempts": "3" },
            'edge.retryAttempts is set and has no effect, since edge.retryFilter is "none"',
        ],
        [
            { "edge.controller": "istio", "edge.retryAttempts": "7" },
            'edge.retryAttempts is set and has no effect, since edge.controller is "istio"',
        ],
        [
            { "edge.controller": "envoy-gateway", "edge.retryBodyBytes": "2048" },
            'edge.retryBodyBytes is set and has no effect, since edge.controller is "envoy-gateway"',
        ],
        [
            { "certificates.secretName": "wildcard", "certificates.chartVersion": "v1.19.4" },
            'certificates.issuer, certificates.email, certificates.chartVersion are set and have no effect, since certificates.secretName is "wildcard"',
        ],
        [
            { "edge.retryFilter": "gateway-api", "edge.retryTimeoutSeconds": "3" },
            'edge.retryTimeoutSeconds is set and has no effect, since edge.retryFilter is "gateway-api"',
        ],
        [
            { "autoscaling.metric": "none", "keda.namespace": "adapters" },
            'keda.namespace is set and has no effect, since autoscaling.metric is "none"',
        ],
    ])("is reported: %j", (change, warning) => {
        expect(warnings(change)).toContain(warning);
    });

    test("includes keda.namespace with an external Prometheus, but not if the adapter reads the stack's", () => {
        const change = { "keda.namespace": "adapters" };
        const warned = (more: Record<string, string>) =>
            warnings({ ...change, ...more }).filter((one) => one.includes("keda.namespace"));
        expect(warned({ "autoscaling.metric": "prometheus-adapter" })).toEqual([]);
        expect(warned({})).toEqual([]);
        expect(warned(EXISTING).join()).toMatch(
            /keda\.namespace.* no effect, since prometheus\.source is "operator"/,
        );
    });

    test.each(["dev", "prod", "local"])("is none in stack %s", (stack) => {
        expect(loadStack({}, stack).warnings.filter((one) => one.includes("no effect"))).toEqual(
            [],
        );
    });

    test("depends on keys that exist", () => {
        for (const [other] of [...ROWS.keys()].flatMap(conditionsOf)) {
            expect([...ROWS.keys()]).toContain(other);
        }
    });
});

const HOOK = "https://hook.example.com";
const SLACK = {
    "alerts.slackUrl": "https://hooks.slack.example/T1/B2/x",
    "alerts.slackChannel": "#a",
};
const EXISTING = {
    "prometheus.source": "operator",
    "prometheus.url": "http://prometheus-operated.monitoring.svc:9090",
    "prometheus.namespace": "monitoring",
    "network.destinations":
        '{"prometheus":[{"namespace":"monitoring","podLabels":{},"port":9090}]}',
};

describe("alerts without a receiver", () => {
    test.each([
        [{}, [/^alerts reach nobody: neither alerts\.slackUrl nor alerts\.webhookUrl is set/]],
        [{ "alerts.watchdogUrl": HOOK }, [/^alerts reach nobody/]],
        [SLACK, [/^nobody notices when alerting itself fails: alerts\.watchdogUrl/]],
        [{ "alerts.webhookUrl": HOOK }, [/^nobody notices/]],
        [{ "alerts.webhookUrl": HOOK, "alerts.watchdogUrl": HOOK }, []],
        [EXISTING, []],
    ])("are a warning: %j", (change, words) => {
        const warned = warnings(change).filter((one) => one.includes("nobody"));
        expect(warned).toEqual(words.map((one) => expect.stringMatching(one)));
    });

    test("are reported wherever the program runs, including every deploy", async () => {
        const warn = jest.spyOn(console, "warn").mockImplementation(() => undefined);
        await renderStack({ stack: "prod" });
        expect(warn).toHaveBeenCalledWith(
            expect.stringContaining("warning: [runtime] alerts reach"),
        );
        warn.mockRestore();
    });
});

describe("a stack's file", () => {
    const trap = (line: string) =>
        trapsIn(`config:\n    ${PROJECT}:${line}\n`).map(([key, words]) => `${key} ${words}`);

    test.each([
        [
            "monitoring.cluster: 1.10",
            'monitoring.cluster is 1.10 without quotes, which YAML reads as 1.1; allowed: "1.10" in quotes',
        ],
        [
            "blue.version: 1e3",
            'blue.version is 1e3 without quotes, which YAML reads as 1000; allowed: "1e3" in quotes',
        ],
        [
            "blue.version: 010",
            'blue.version is 010 without quotes, which YAML reads as 10; allowed: "010" in quotes',
        ],
        [
            "blue.version: 2024-01-25",
            'blue.version is 2024-01-25 without quotes, which not all readers of YAML take for text; allowed: "2024-01-25" in quotes',
        ],
        [
            "blue.version: 12:30:45",
            'blue.version is 12:30:45 without quotes, which not all readers of YAML take for text; allowed: "12:30:45" in quotes',
        ],
        [
            "redis.storageClass: no",
            'redis.storageClass is no without quotes, which not all readers of YAML take for text; allowed: "no" in quotes',
        ],
        [
            "redis.storageClass: false",
            'redis.storageClass is false without quotes, which YAML reads as false; allowed: "false" in quotes',
        ],
        [
            "redis.storageClass: null",
            "redis.storageClass is null; allowed: a value, or no such key",
        ],
        ["redis.storageClass: ~", "redis.storageClass is null; allowed: a value, or no such key"],
        ["redis.storageClass:", "redis.storageClass is null; allowed: a value, or no such key"],
        [
            "tenants.anonymous: yes",
            "tenants.anonymous is yes without quotes, which not all readers of YAML take for text; allowed: true or false",
        ],
        [
            "edge.retryAttempts: 0x50",
            "edge.retryAttempts is 0x50 without quotes, which YAML reads as 80; allowed: a whole number in decimal notation",
        ],
        [
            "edge.retryAttempts: 1_000",
            "edge.retryAttempts is 1_000 without quotes, which not all readers of YAML take for text; allowed: a whole number in decimal notation",
        ],
        // Pulumi rejects these before the program runs.
        ["tenants.list: []", "tenants.list is a list; allowed: one value, such as a text"],
        [
            "certificates.dns01: { route53: {} }",
            "certificates.dns01 is a map; allowed: one value, such as a text",
        ],
        [
            "network.dns: '[\"openshift\"]'",
            "network.dns is one value, such as a text; allowed: a list",
        ],
        [
            `traffic.weights: '{"blue":100,"green":0}'`,
            "traffic.weights is one value, such as a text; allowed: a map",
        ],
        [
            "traffic.weights: { blue: 090, green: 10 }",
            'traffic.weights is 090 without quotes, which YAML reads as 90; allowed: "090" in quotes',
        ],
    ])("has a trap: %s", (line, words) => {
        expect(trap(line)).toEqual([words]);
    });

    test.each([
        ...[
            "service.cpuLimit: 2",
            "service.cpuLimit: 1.5",
            "service.cpuLimit: 500m",
            "edge.httpPort: 8080",
        ],
        ...[
            'monitoring.cluster: "1.10"',
            "monitoring.cluster: '010'",
            "tenants.anonymous: true",
            "blue.version: v1.10",
        ],
        ...[
            "edge.controllerCidrs: [10.0.0.0/8]",
            "traffic.weights: { blue: 90, green: 10 }",
            "blue.version: 1.2.3",
        ],
        ...["admin.token: { secure: v1:abc:1e3 }"],
    ])("has none: %s", (line) => {
        expect(trap(line)).toEqual([]);
    });

    test.each(["dev", "prod", "local"])(
        "of stack %s has none, and a stack without a file neither",
        (stack) => {
            expect(trapsOfStack(stack)).toEqual([]);
            expect(trapsOfStack(`${stack}-of-somebody`)).toEqual([]);
        },
    );
});
