import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { exampleApiKey } from "../../components/embeddingService/tenants.ts";
import type { ServiceSettings } from "@property-search/contract/settings";
import {
    EmbeddingServiceColour,
    type EmbeddingServiceColourArgs,
} from "../../components/embeddingService/colour.ts";
import type { Registration } from "../../render.ts";
import { Secret } from "../../render/program.ts";
import { at, declared, needsOf } from "../support/program.ts";

const ARGS: EmbeddingServiceColourArgs = {
    colour: "green",
    namespace: "property-search-green",
    release: { image: "registry.example/service:v2", version: "v2" },
    redis: { mode: "standalone", passwords: { app: "a-password" } },
    tenants: { list: "[]", platformKey: "a-key" },
    adminToken: "an-admin-token",
    autoscaling: { cpuPercent: 60 },
    service: {
        minReplicas: 3,
        maxReplicas: 10,
        resources: { cpuRequest: "1", cpuLimit: "2", memoryRequest: "2Gi", memoryLimit: "4Gi" },
        preStopSeconds: 10,
        settings: {
            model: "a-model",
            modelThreads: 2,
            cachePrecision: "float16",
            textFolding: "case",
            corsOrigins: "https://app.example.com",
            tokenPrices: "2024-01-25=0.02",
            podCostPerHourDollars: "0.05",
            storageCostPerHourDollars: "0.2",
            tracingUrl: "http://collector:4318",
            tracingSampleRatio: "0.1",
        },
    },
};

const withSettings = (change: Partial<ServiceSettings>) => ({
    ...ARGS.service,
    settings: { ...ARGS.service.settings, ...change },
});

const build = (change: Partial<EmbeddingServiceColourArgs> = {}) =>
    declared(() => new EmbeddingServiceColour("green", { ...ARGS, ...change }));
const names = (all: readonly Registration[]) =>
    all.map(({ inputs }) => at(inputs, "metadata", "name"));
const CONTAINER = ["spec", "template", "spec", "containers", 0] as const;

/** The container's environment: values, or the Secret and key that they come from. */
async function environment(
    change: Partial<EmbeddingServiceColourArgs> = {},
): Promise<Record<string, unknown>> {
    const { inputs } = (await build(change)).one(":Deployment");
    const list = at(inputs, ...CONTAINER, "env") as { name: string; value?: string }[];
    return Object.fromEntries(
        list.map((one) => [one.name, one.value ?? at(one, "valueFrom", "secretKeyRef")]),
    );
}

describe("EmbeddingServiceColour", () => {
    test("gives the service the environment that it is specified to have", async () => {
        expect(await environment()).toMatchObject({
            PORT: "8001",
            COLOUR: "green",
            VERSION: "v2",
            REDIS_URL: "redis://redis-cluster:6379",
            REDIS_MODE: "standalone",
            CACHE_TTL: "604800",
            TEXT_FOLDING: "case",
            CORS_ORIGINS: "https://app.example.com",
            MAX_LOCAL_CACHE_SIZE: "2000",
            EMBEDDING_COST_PER_REQUEST: "0.001",
            EMBEDDING_TOKEN_PRICES: "2024-01-25=0.02",
            POD_COST_PER_HOUR_DOLLARS: "0.05",
            STORAGE_COST_PER_HOUR_DOLLARS: "0.2",
            OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
            OTEL_TRACES_SAMPLER_ARG: "0.1",
            EMBEDDING_PROVIDER: "local",
            EMBEDDING_MODEL: "a-model",
            MODEL_THREADS: "2",
            DRAIN_TIMEOUT_SECONDS: "30",
        });
    });

    test("doubles dollar signs, which the kubelet would take for other variables", async () => {
        const service = withSettings({ model: "a$(REDIS_URL)$$b" });
        expect(await environment({ service })).toMatchObject({
            EMBEDDING_MODEL: "a$$(REDIS_URL)$$$$b",
        });
    });

    test("hands out the Redis password by Secret only", async () => {
        const all = await build();
        const secret = all.one(":Secret", "green-redis-credentials").inputs;
        expect(at(secret, "metadata", "namespace")).toBe("property-search-green");
        expect(secret.stringData).toBeInstanceOf(Secret);
        expect(at(secret, "stringData", "password")).toBe("a-password");
        expect(await environment()).toMatchObject({
            REDIS_USERNAME: { name: "redis-credentials", key: "username" },
            REDIS_PASSWORD: { name: "redis-credentials", key: "password" },
        });
        expect(JSON.stringify(all.one(":Deployment").inputs)).not.toContain("a-password");
    });

    test("reaches our Redis under one name, wherever it runs", async () => {
        const services = (await build()).of(":Service");
        const alias = services.find(
            ({ inputs }) => at(inputs, "metadata", "name") === "redis-cluster",
        );
        expect(at(alias?.inputs, "spec")).toEqual({
            type: "ExternalName",
            externalName: "redis-cluster.property-search-data.svc.cluster.local",
        });
    });

    test("uses an external Redis by its own URL and existing Secret, and makes neither", async () => {
        const redis = {
            mode: "external",
            url: "rediss://cache.example:6380",
            secretName: "managed-redis",
            clustered: true,
        } as const;
        expect(await environment({ redis })).toMatchObject({
            REDIS_URL: "rediss://cache.example:6380",
            REDIS_MODE: "cluster",
            // Files, so that pods follow an externally managed Secret.
            REDIS_CREDENTIALS_DIR: "/etc/redis-login",
        });
        expect(await environment({ redis })).not.toHaveProperty("REDIS_PASSWORD");
        const all = await build({ redis });
        const { inputs } = all.one(":Deployment");
        expect(at(inputs, "spec", "template", "spec", "volumes")).toContainEqual({
            name: "redis-login",
            secret: { secretName: "managed-redis" },
        });
        expect(names(all.of(":Secret"))).not.toContain("redis-credentials");
        expect(all.of(":Service")).toHaveLength(1);
    });

    test("finds an external Redis by its sentinels, over TLS with certificates from existing Secrets", async () => {
        const redis = {
            mode: "external",
            url: "rediss://one.example:26379,rediss://two.example:26379",
            secretName: "managed-redis",
            clustered: false,
            sentinel: { master: "cache" },
            tls: { caSecretName: "redis-authority", certSecretName: "redis-client" },
        } as const;
        expect(await environment({ redis })).toMatchObject({
            REDIS_URL: redis.url,
            REDIS_MODE: "sentinel",
            REDIS_SENTINEL_MASTER: "cache",
            REDIS_CREDENTIALS_DIR: "/etc/redis-login",
            REDIS_CA_FILE: "/etc/redis-ca/ca.crt",
            REDIS_CERT_FILE: "/etc/redis-cert/tls.crt",
            REDIS_KEY_FILE: "/etc/redis-cert/tls.key",
        });
        const { inputs } = (await build({ redis })).one(":Deployment");
        expect(at(inputs, ...CONTAINER, "volumeMounts")).toEqual(
            expect.arrayContaining([
                { name: "redis-ca", mountPath: "/etc/redis-ca", readOnly: true },
                { name: "redis-cert", mountPath: "/etc/redis-cert", readOnly: true },
            ]),
        );
        expect(at(inputs, "spec", "template", "spec", "volumes")).toEqual(
            expect.arrayContaining([
                { name: "redis-ca", secret: { secretName: "redis-authority" } },
                { name: "redis-cert", secret: { secretName: "redis-client" } },
            ]),
        );
        const own = await environment();
        for (const name of ["REDIS_SENTINEL_MASTER", "REDIS_CA_FILE", "REDIS_CERT_FILE"]) {
            expect(own).not.toHaveProperty(name);
        }
    });

    test("hands out the upstream's key by Secret, and only where there is an upstream", async () => {
        const service = {
            ...withSettings({
                provider: "openai",
                upstreamUrl: "https://api.example/v1",
                upstreamFallbackUrls: "https://other.example/v1",
                upstreamBatchSize: 96,
                revision: "2026-01",
            }),
            upstreamProxy: "http://proxy.example:3128",
            upstreamApiKey: "a-key",
            upstreamFallbackApiKeys: "other-key",
        };
        const given = await environment({ service });
        expect(given).toMatchObject({
            EMBEDDING_PROVIDER: "openai",
            UPSTREAM_URL: "https://api.example/v1",
            UPSTREAM_API_KEY: { name: "upstream-api-key", key: "api-key" },
            UPSTREAM_FALLBACK_URLS: "https://other.example/v1",
            UPSTREAM_FALLBACK_API_KEYS: { name: "upstream-api-key", key: "fallback-api-keys" },
            UPSTREAM_BATCH_SIZE: "96",
            HTTP_PROXY: "http://proxy.example:3128",
            HTTPS_PROXY: "http://proxy.example:3128",
        });
        const direct = { ...service, upstreamProxy: "" };
        expect(await environment({ service: direct })).not.toHaveProperty("HTTPS_PROXY");
        expect(given).not.toHaveProperty("MODEL_THREADS");
        expect(await environment()).not.toHaveProperty("UPSTREAM_API_KEY");
        expect(names((await build()).of(":Secret"))).not.toContain("upstream-api-key");
    });

    test("has the example as a tenant, with keys that derive from all of platform's", async () => {
        const tenants = { platformKey: "a-key", otherPlatformKeys: ["next-key"], example: true };
        const all = await build({ tenants });
        const file = at(all.one(":Secret", "green-tenants").inputs, "stringData", "tenants.json");
        const keys = ["a-key", "next-key"].map((key) => ({
            sha256: createHash("sha256").update(exampleApiKey(key)).digest("hex"),
        }));
        expect(JSON.parse(String(file))).toMatchObject({
            tenants: [{ id: "platform" }, { id: "property-search", keys }],
        });
        expect(exampleApiKey("a-key")).toMatch(/^[0-9a-f]{64}$/);
    });

    test("passes tenants to the service in a file of hashes, without keys", async () => {
        const list = `[{"id":"search","keys":[{"sha256":"${"ab".repeat(32)}"}]}]`;
        const all = await build({ tenants: { ...ARGS.tenants, list } });
        const file = String(
            at(all.one(":Secret", "green-tenants").inputs, "stringData", "tenants.json"),
        );
        const sha256 = createHash("sha256").update("a-key").digest("hex");
        expect(JSON.parse(file)).toEqual({
            tenants: [{ id: "platform", keys: [{ sha256 }] }, ...(JSON.parse(list) as unknown[])],
        });
        expect(file).not.toContain("a-key");
        const pod = at(all.one(":Deployment").inputs, "spec", "template", "spec");
        expect(at(pod, "volumes")).toContainEqual({
            name: "tenants",
            secret: { secretName: "tenants" },
        });
        expect(await environment()).toMatchObject({
            TENANTS_FILE: "/etc/tenants/tenants.json",
            ANONYMOUS: "false",
        });
    });

    test("hands out the admin port's token by Secret, and leads no Service to that port", async () => {
        const all = await build();
        expect(names(all.of(":Secret"))).toContain("service-admin");
        expect(await environment()).toMatchObject({
            ADMIN_TOKEN: { name: "service-admin", key: "token" },
        });
        expect(JSON.stringify(all.one(":Deployment").inputs)).not.toContain("an-admin-token");
        for (const { inputs } of all.of(":Service")) {
            expect(JSON.stringify(inputs)).not.toMatch(/8801|admin/);
        }
    });

    test("leaves the number of pods to the autoscaler", async () => {
        const all = await build();
        expect(all.one(":Deployment").inputs.spec).not.toHaveProperty("replicas");
        expect(at(all.one(":HorizontalPodAutoscaler").inputs, "spec")).toMatchObject({
            scaleTargetRef: { name: "embedding-service-green" },
            minReplicas: 3,
            maxReplicas: 10,
            metrics: [{ resource: { target: { averageUtilization: 60 } } }],
        });
    });

    test("counts the misses of its own pods only", async () => {
        const misses = { metric: "keda", perPod: 60 } as const;
        const all = await build({ autoscaling: { misses } });
        const query = at(
            all.one(":ScaledObject").inputs,
            "spec",
            "triggers",
            0,
            "metadata",
            "query",
        );
        expect(query).toMatch(/colour="green"/);
        expect(query).not.toMatch(/blue/);
    });

    test("never serves with less while it rolls out, and Pulumi waits a minute longer than its deadline", async () => {
        const { inputs, options } = (await build()).one(":Deployment");
        expect(at(inputs, "spec", "strategy")).toEqual({
            type: "RollingUpdate",
            rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" },
        });
        const deadline = Number(at(inputs, "spec", "progressDeadlineSeconds"));
        // A minute for the message of the deadline, and no longer for a pod that cannot start.
        const timeout = `${deadline + 60}s`;
        expect(options).toMatchObject({ customTimeouts: { create: timeout, update: timeout } });
    });

    test("gives a pod time for preStop, the longest request and a margin", async () => {
        const service = withSettings({ drainTimeoutSeconds: 100 });
        const all = await build({ service: { ...service, preStopSeconds: 15 } });
        const pod = at(all.one(":Deployment").inputs, "spec", "template", "spec");
        expect(at(pod, "terminationGracePeriodSeconds")).toBeGreaterThan(115);
        expect(at(pod, "containers", 0, "lifecycle")).toEqual({
            preStop: { sleep: { seconds: 15 } },
        });
    });

    test("uses three checks on three paths, and restarts last", async () => {
        const container = at((await build()).one(":Deployment").inputs, ...CONTAINER);
        const path = (probe: string) => at(container, probe, "httpGet", "path");
        expect(["startupProbe", "readinessProbe", "livenessProbe"].map(path)).toEqual([
            "/startupz",
            "/readyz",
            "/livez",
        ]);
        const seconds = (probe: string) =>
            Number(at(container, probe, "periodSeconds")) *
            Number(at(container, probe, "failureThreshold"));
        expect(seconds("livenessProbe")).toBeGreaterThan(seconds("readinessProbe"));
    });

    test("selects pods by labels that a release does not change", async () => {
        const before = await build();
        const after = await build({
            release: { image: "registry.example/service:v3", version: "v3" },
        });
        const selector = (all: typeof before) =>
            at(all.one(":Deployment").inputs, "spec", "selector");
        expect(selector(after)).toEqual(selector(before));
        for (const type of [":Deployment", ":PodDisruptionBudget"]) {
            expect(
                at(after.one(type).inputs, "spec", "selector", "matchLabels"),
            ).not.toHaveProperty(["app.kubernetes.io/version"]);
        }
    });

    test("starts no pod before what it names exists", async () => {
        expect(needsOf((await build()).one(":Deployment")).sort()).toEqual([
            "Secret",
            "Secret",
            "Secret",
            "Service",
            "ServiceAccount",
        ]);
    });
});
