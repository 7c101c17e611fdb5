import { afterEach, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { loadConfig } from "../../config.ts";
import { declarations } from "../../config/declarations.ts";
import { EFFECTS } from "../../config/effects.ts";
import { ConfigReader } from "../../config/reader.ts";
import { trapsIn, trapsOfStack } from "../../config/yamlTraps.ts";
import { stackConfig } from "../../render/stackConfig.ts";

const PROJECT = "property-search";

/** What a stack with these values over those of prod warns of, without the project's name. */
function warnings(change: Readonly<Record<string, string>> = {}): readonly string[] {
    const { values, secretKeys } = stackConfig("prod", undefined, change);
    pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
    const { warnings: told } = loadConfig(new ConfigReader(new pulumi.Config(PROJECT)));
    return told;
}

afterEach(() => {
    pulumi.runtime.setAllConfig({});
});

describe("a key that is set to no effect", () => {
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
            { "service.tokenPrices": "2024-01-25=0.02", "service.costPerRequest": "0.5" },
            'service.costPerRequest is set and has no effect, since service.tokenPrices is "2024-01-25=0.02"',
        ],
        [
            { "tracing.share": "0.5" },
            "tracing.share is set and has no effect, since tracing.url is not set",
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
            'monitoring.cpuRequest, monitoring.memoryLimit, monitoring.storage, alertmanager.replicas are set and have no effect, since monitoring.enabled is "false"',
        ],
        [
            { "edge.retryFilter": "none", "edge.retryAttempts": "3" },
            'edge.retryAttempts is set and has no effect, since edge.retryFilter is "none"',
        ],
        [
            { "edge.retryFilter": "gateway-api", "edge.retrySeconds": "3" },
            'edge.retrySeconds is set and has no effect, since edge.retryFilter is "gateway-api"',
        ],
    ])("is told: %j", (change, warning) => {
        expect(warnings(change)).toContain(warning);
    });

    test.each(["dev", "prod", "local"])("is none in stack %s", (stack) => {
        const { values, secretKeys } = stackConfig(stack, undefined);
        pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
        expect(loadConfig(new ConfigReader(new pulumi.Config(PROJECT))).warnings).toEqual([]);
    });

    test("is one that Pulumi.yaml declares, and so is the key that says so", () => {
        const keys = [...declarations().keys()];
        for (const { of, when } of EFFECTS) {
            expect(keys).toContain(when[0]);
            for (const name of of) {
                expect([name, keys.some((key) => key === name || key.startsWith(name))]).toEqual([
                    name,
                    true,
                ]);
            }
        }
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
