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
        [{ "redis.url": "rediss://r.example:6380" }, "redis.url", 'redis.mode is "cluster"'],
        [
            { "redis.clustered": "true", "redis.mode": "standalone" },
            "redis.clustered",
            'redis.mode is "standalone"',
        ],
        [
            { "certificates.enabled": "false" },
            "certificates.issuer, certificates.email",
            'certificates.enabled is "false"',
        ],
        [
            { "certificates.issuer": "selfSigned" },
            "certificates.email",
            'certificates.issuer is "selfSigned"',
        ],
        [
            { "service.upstreamUrl": "https://api.example/v1" },
            "service.upstreamUrl",
            'service.provider is "local"',
        ],
        [
            { "service.upstreamFallbackUrls": "https://b.example/v1" },
            "service.upstreamFallbackUrls",
            'service.provider is "local"',
        ],
        [
            { "service.tokenPrices": "2024-01-25=0.02", "service.costPerRequestDollars": "0.5" },
            "service.costPerRequestDollars",
            'service.tokenPrices is "2024-01-25=0.02"',
        ],
        [{ "tracing.sampleRatio": "0.5" }, "tracing.sampleRatio", "tracing.url is not set"],
        [
            { "monitoring.remoteWriteToken": "token" },
            "monitoring.remoteWriteToken",
            "monitoring.remoteWriteUrl is not set",
        ],
        [{ "alerts.slackChannel": "#alerts" }, "alerts.slackChannel", "alerts.slackUrl is not set"],
        [
            { "monitoring.enabled": "false", "autoscaling.metric": "none" },
            "monitoring.cpuRequest, monitoring.memoryLimit, monitoring.storage, alertmanager.replicas, insights.enabled, insights.image",
            'monitoring.enabled is "false"',
        ],
        [
            { "insights.enabled": "false", "insights.schedule": "0 3 * * *" },
            "insights.image, insights.schedule",
            'insights.enabled is "false"',
        ],
        [
            { "edge.retryFilter": "none", "edge.retryAttempts": "3" },
            "edge.retryAttempts",
            'edge.retryFilter is "none"',
        ],
        [
            { "edge.controller": "istio", "edge.retryAttempts": "7" },
            "edge.retryAttempts",
            'edge.controller is "istio"',
        ],
        [
            { "edge.controller": "envoy-gateway", "edge.retryBodyBytes": "2048" },
            "edge.retryBodyBytes",
            'edge.controller is "envoy-gateway"',
        ],
        [
            { "certificates.secretName": "wildcard", "certificates.chartVersion": "v1.19.4" },
            "certificates.issuer, certificates.email, certificates.chartVersion",
            'certificates.secretName is "wildcard"',
        ],
        [
            { "edge.retryFilter": "gateway-api", "edge.retryTimeoutSeconds": "3" },
            "edge.retryTimeoutSeconds",
            'edge.retryFilter is "gateway-api"',
        ],
        [
            { "autoscaling.metric": "none", "keda.namespace": "adapters" },
            "keda.namespace",
            'autoscaling.metric is "none"',
        ],
    ])("is reported: %j", (change, keys, reason) => {
        const verbs = keys.includes(",") ? "are set and have" : "is set and has";
        expect(warnings(change)).toContain(`${keys} ${verbs} no effect, since ${reason}`);
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

    const isReadAs = (value: string, read: string) =>
        `is ${value} without quotes, which YAML reads as ${read}; allowed: "${value}" in quotes`;
    const isAmbiguous = (value: string) =>
        `is ${value} without quotes, which not all readers of YAML take for text; allowed: "${value}" in quotes`;

    test.each([
        ["monitoring.cluster: 1.10", isReadAs("1.10", "1.1")],
        ["blue.version: 1e3", isReadAs("1e3", "1000")],
        ["blue.version: 010", isReadAs("010", "10")],
        ["blue.version: 2024-01-25", isAmbiguous("2024-01-25")],
        ["blue.version: 12:30:45", isAmbiguous("12:30:45")],
        ["redis.storageClass: no", isAmbiguous("no")],
        ["redis.storageClass: false", isReadAs("false", "false")],
        ["redis.storageClass: null", "is null; allowed: a value, or no such key"],
        ["redis.storageClass: ~", "is null; allowed: a value, or no such key"],
        ["redis.storageClass:", "is null; allowed: a value, or no such key"],
        [
            "tenants.anonymous: yes",
            "is yes without quotes, which not all readers of YAML take for text; allowed: true or false",
        ],
        [
            "edge.retryAttempts: 0x50",
            "is 0x50 without quotes, which YAML reads as 80; allowed: a whole number in decimal notation",
        ],
        [
            "edge.retryAttempts: 1_000",
            "is 1_000 without quotes, which not all readers of YAML take for text; allowed: a whole number in decimal notation",
        ],
        // Pulumi rejects these before the program runs.
        ["tenants.list: []", "is a list; allowed: one value, such as a text"],
        ["certificates.dns01: { route53: {} }", "is a map; allowed: one value, such as a text"],
        ["network.dns: '[\"openshift\"]'", "is one value, such as a text; allowed: a list"],
        [
            `traffic.weights: '{"blue":100,"green":0}'`,
            "is one value, such as a text; allowed: a map",
        ],
        ["traffic.weights: { blue: 090, green: 10 }", isReadAs("090", "90")],
    ])("has a trap: %s", (line, words) => {
        const [key] = line.split(":");
        expect(trap(line)).toEqual([`${key} ${words}`]);
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
