import { describe, expect, test } from "@jest/globals";
import { imageOverrides, monitoringOverrides, createReference } from "../../src/images/images.ts";

const service = {
    name: "embedding-service",
    references: [
        createReference("embedding-service", "v1.0.0", "0123456789ab"),
        createReference("embedding-service", "v2.0.0-enhanced", "0123456789ab"),
    ],
};
const redis = { name: "redis", references: [createReference("redis", "v8", "ba9876543210")] };

test("a reference is one that a registry's rules allow, and is never the latest", () => {
    const reference = createReference("redis", "v8", "0123456789ab");
    expect(reference).toBe("localhost/redis:v8-0123456789ab");
    expect(reference).toMatch(/^localhost\/[a-z0-9-]+:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
});

describe("the program's image keys", () => {
    test("name one build under each colour's version", () => {
        expect(imageOverrides([redis, service])).toEqual({
            "blue.image": "localhost/embedding-service:v1.0.0-0123456789ab",
            "green.image": "localhost/embedding-service:v2.0.0-enhanced-0123456789ab",
            "redis.image": "localhost/redis:v8-ba9876543210",
            "redis.nodeImage": "localhost/embedding-service:v1.0.0-0123456789ab",
        });
    });

    test("take another's reference as it is", () => {
        const official = { name: "redis", references: ["docker.io/library/redis:8.2.3-bookworm"] };
        expect(imageOverrides([official, service])["redis.image"]).toBe(official.references[0]);
    });

    test.each([
        ["redis", [service]],
        ["embedding-service v1.0.0-", [redis]],
        [
            "embedding-service v2.0.0-enhanced-",
            [redis, { ...service, references: [service.references[0] ?? ""] }],
        ],
    ])("without %s are rejected by its name", (missing, images) => {
        expect(() => imageOverrides(images)).toThrow(`there is no image ${missing}`);
    });
});

describe("the program's keys of what watches", () => {
    const watching = [
        ...["prometheus", "alertmanager", "kube-state-metrics", "redis-exporter"],
        ...["insights", "property-search"],
    ];
    const images = watching.map((name) => ({
        name,
        references: [createReference(name, "v1", "0123456789ab")],
    }));

    test("name an image each", () => {
        expect(monitoringOverrides(images)).toEqual({
            "monitoring.prometheusImage": "localhost/prometheus:v1-0123456789ab",
            "alertmanager.image": "localhost/alertmanager:v1-0123456789ab",
            "monitoring.kubeStateMetricsImage": "localhost/kube-state-metrics:v1-0123456789ab",
            "monitoring.redisExporterImage": "localhost/redis-exporter:v1-0123456789ab",
            "insights.image": "localhost/insights:v1-0123456789ab",
            "example.image": "localhost/property-search:v1-0123456789ab",
        });
    });

    test.each(watching)("without %s are rejected by its name", (missing) => {
        const others = images.filter(({ name }) => name !== missing);
        expect(() => monitoringOverrides(others)).toThrow(`there is no image ${missing}`);
    });
});
