import { afterEach, describe, expect, test } from "@jest/globals";
import { GENERATED_SECRETS, MISSES_PER_CPU } from "@property-search/contract";
import { SERVICE_SETTINGS, type Setting } from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { loadConfig, type StackConfig } from "../../config.ts";
import { ROWS, textOf } from "../../config/settings/index.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { loadStack, readerOf } from "../support/loadStack.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

afterEach(() => {
    pulumi.runtime.setAllConfig({});
});

const OF_API = [
    "service.upstreamUrl",
    "service.upstreamApiKey",
    "autoscaling.missesPerSecondPerPod",
];

/** Settings whose default replaces an empty text, in the program as in the service. */
const OF_SERVICE = new Set(
    Object.values<Setting>(SERVICE_SETTINGS).flatMap(({ key, secret }) =>
        secret ? [] : (key ?? []),
    ),
);

/** A config as text, without the values of secrets. */
function textOfConfig(config: StackConfig): string {
    return JSON.stringify(config, (_, value: unknown) =>
        pulumi.Output.isInstance(value) ? "[secret]" : value,
    );
}

describe("loadConfig", () => {
    test.each(["dev", "prod", "local"])("accepts stack %s", (stack) => {
        expect(() => loadStack({}, stack)).not.toThrow();
    });

    test("images of cert-manager come from the stack's registry too, unless they have one of their own", () => {
        const registryOf = (change: Record<string, string>) =>
            loadStack({
                "certificates.enabled": "true",
                "certificates.issuer": "selfSigned",
                "edge.hostname": "embeddings.example.com",
                "images.registry": "mirror.example.com/all",
                ...change,
            }).certificates?.install?.imageRegistry;
        expect(registryOf({})).toBe("mirror.example.com/all/jetstack");
        expect(registryOf({ "certificates.imageRegistry": "own.example.com/x" })).toBe(
            "own.example.com/x",
        );
    });

    test("reads every key that is declared, and no other", () => {
        const read = readerOf("property-search");
        loadStack({}, "dev", read);
        expect([...read.known].sort()).toEqual([...ROWS.keys()].sort());
    });

    test.each([
        ["traffic.weights", "", /traffic\.weights is not set; allowed: whole numbers/],
        ["network.dns", "", /network\.dns is not set; allowed: a list/],
        ["blue.image", "service", /is "service"; allowed: an image with a digest or an exact tag/],
        ["blue.image", "service:latest", /exact tag \(not latest\)/],
        ["blue.image", "search//service:v1.0.0", /an image with a digest or an exact tag/],
        ["blue.image", "search/-service:v1.0.0", /an image with a digest or an exact tag/],
        ["blue.image", `search/${"s".repeat(250)}:v1.0.0`, /an image with a digest/],
        ["workloads.labels", '{"job-name":"x"}', /has job-name; allowed: none of controller-uid/],
        [
            "workloads.labels",
            '{"batch.kubernetes.io/controller-uid":"x"}',
            /has batch\.kubernetes\.io\/controller-uid; allowed: none of/,
        ],
        ["images.dockerConfigJson", '{"auths":{"a":5}}', /is wrong; allowed: the JSON of a Docker/],
        [
            "images.dockerConfigJson",
            '{"auths":{"a":{"auth":"dXNlcg=="}}}',
            /user:password in base64/,
        ],
        [
            "images.dockerConfigJson",
            '{"auths":{"a":{"username":5}}}',
            /is wrong; allowed: the JSON/,
        ],
        [
            "images.dockerConfigJson",
            JSON.stringify({ auths: { a: { password: "x".repeat(600_000) } } }),
            /at most 500000 characters/,
        ],
        ["green.image", "", /green\.image is not set/],
        ["green.version", "v 2", /a label value/],
        ["traffic.weights", '{"blue":90,"green":20}', /sums to 110/],
        ["traffic.weights", '{"blue":90}', /has no green/],
        ["traffic.weights", "90/10", /is "90\/10"/],
        ["service.minReplicas", "1", /is "1"; allowed: a whole number from 2 to 10/],
        ["service.maxReplicas", "11", /from 2 to 10/],
        ["service.minReplicas", "2.5", /a whole number/],
        ["service.cpuRequest", "much", /CPUs such as/],
        ["service.cpuRequest", "0", /CPUs such as/],
        [
            "service.cpuRequest",
            "3",
            /service\.cpuLimit is "[^"]+"; allowed: no less than service\.cpuRequest \(3\)/,
        ],
        ["service.memoryLimit", "2G", /bytes such as/],
        [
            "service.memoryRequest",
            "64Gi",
            /service\.memoryLimit is "[^"]+"; allowed: no less than service\.memoryRequest \(64Gi\)/,
        ],
        ["service.provider", "other", /allowed: local, openai/],
        [
            "service.upstreamFallbackUrls",
            "https://a,b",
            /without credentials and query, .*comma-separated/,
        ],
        ["service.upstreamUrl", "https://a.example/v1?key=secret", /query, but \?api-version=/],
        ["service.upstreamFallbackApiKeys", "one,two", /is wrong; allowed: as many keys .*\(0\)/],
        ["service.upstreamBatchSize", "0", /from 1 to 2048/],
        ["service.upstreamProxy", "proxy:3128", /URL of a proxy/],
        ["service.upstreamProxy", "http://proxy:3128/path", /without credentials and path/],
        ["service.revision", "two words", /a name without blanks/],
        ["service.cacheTtlSeconds", "59", /from 60 to 31536000/],
        ["service.staleIfErrorSeconds", "-1", /from 0 to 31536000/],
        ["service.cachePrecision", "float64", /allowed: float32, float16, int8/],
        ["service.costPerRequestDollars", "1e-3", /dollars in decimal notation/],
        ["service.tokenPrices", "0.02", /dates and dollars per million tokens/],
        ["service.podCostPerHourDollars", "cheap", /dollars in decimal notation/],
        ["service.storageCostPerHourDollars", "-1", /dollars in decimal notation/],
        ["autoscaling.metric", "cpu", /allowed: keda, prometheus-adapter, none/],
        ["autoscaling.cpuPercent", "5", /from 10 to 100/],
        ["autoscaling.memoryPercent", "40", /from 50 to 100/],
        ["autoscaling.missesPerSecondPerPod", "0", /a number above 0 such as 60 or 7\.5/],
        ["autoscaling.missesPerSecondPerPod", "many", /a number above 0/],
        ["autoscaling.scaleUpStabilizationSeconds", "-1", /from 0 to 600/],
        ["tracing.url", "collector:4318", /an http or https URL/],
        ["tracing.sampleRatio", "2", /a number from 0 to 1/],
        ["service.drainTimeoutSeconds", "301", /from 1 to 300/],
        ["redis.mode", "sentinel", /allowed: standalone, cluster, external/],
        ["redis.memoryLimit", "32Mi", /no less than 64Mi/],
        ["redis.url", "redis://:secret@host:6379", /without credentials/],
        ["redis.url", "redis://a:1,rediss://b:1", /several of one kind/],
        ["redis.url", "redis://a:1,", /several of one kind/],
        ["redis.sentinelDataPort", "0", /from 1 to 65535/],
        ["redis.caSecretName", "A Secret", /name of an object/],
        ["service.textFolding", "stems", /some of case, punctuation/],
        ["service.corsOrigins", "https://a.example/", /origins such as https/],
        ["service.corsOrigins", "*,https://a.example", /\* or comma-separated/],
        ["redis.passwords.app", "", /the stack's first deploy generates it, and make secrets/],
        ["edge.httpPort", "70000", /from 1 to 65535/],
        ["edge.hostname", "localhost", /a host name such as/],
        ["edge.controllerCidrs", '["10.0.0.0"]', /address ranges such as/],
        ["edge.controllerCidrs", '["10.0.0.0/33"]', /address ranges such as/],
        ["edge.retryFilter", "nginx", /allowed: preset, none, traefik, envoy-gateway/],
        [
            "edge.controller",
            "haproxy",
            /allowed: traefik, envoy-gateway, istio, cilium, nginx, custom/,
        ],
        ["edge.publicHttpsPort", "0", /from 1 to 65535/],
        ["edge.controllerPodLabels", "app:traefik", /labels such as/],
        ["edge.controlPlane", "istio-system", /namespace:port such as/],
        ["edge.retryAttempts", "0", /from 1 to 50/],
        ["edge.retryIntervalMilliseconds", "5", /from 10 to 10000/],
        ["edge.retryTimeoutSeconds", "0", /from 1 to 300/],
        ["edge.retryBodyBytes", "64Ki", /from 1024 to 8388608/],
        ["certificates.enabled", "yes", /allowed: true, false|true or false/],
        ["certificates.chartVersion", "1.19", /a version such as/],
        ["certificates.chart", "cert-manager", /oci:/],
        ["certificates.imageRegistry", "https://quay.io", /a registry and folder/],
        ["certificates.certManager", "adopt", /allowed: install, existing/],
        ["certificates.issuer", "letsencrypt", /allowed: selfSigned, acmeStaging, acme, existing/],
        ["certificates.issuerKind", "clusterissuer", /a kind such as/],
        ["certificates.issuerGroup", "cert-manager", /an API group such as/],
        ["certificates.acmeServer", "http://acme.example", /https:\/\/ URL such as/],
        ["certificates.acmeCaBundle", "MIIB", /certificates as PEM/],
        ["certificates.challenge", "tls-alpn", /allowed: http01, dns01/],
        ["certificates.secretName", "A Secret", /name of an object/],
        ["monitoring.prometheusImage", "prom/prometheus", /exact tag/],
        ["monitoring.prometheusImage", "prom/prometheus:latest", /exact tag \(not latest\)/],
        ["grafana.image", "grafana/grafana:latest", /exact tag \(not latest\)/],
        ["grafana.adminPassword", "", /the stack's first deploy generates it/],
        ["grafana.enabled", "maybe", /true or false/],
        ["monitoring.storage", "100Mi", /no less than 256Mi/],
        ["monitoring.memoryLimit", "64Mi", /no less than 256Mi/],
        ["monitoring.cluster", "a b", /a label value such as .* production-eu/],
        ["monitoring.gatewayAddress", "traefik", /host:port such as/],
        ["monitoring.apiServerCidrs", '["10.0.0.1"]', /address ranges such as/],
        ["monitoring.remoteWriteUrl", "metrics.example", /an http or https URL/],
        [
            "monitoring.remoteWriteUsername",
            "user",
            /remoteWriteToken is not set; allowed: a password/,
        ],
        ["alertmanager.replicas", "0", /a whole number from 1 to 5/],
        ["alerts.webhookUrl", "inbox:8080", /an http or https URL/],
        ["alerts.watchdogUrl", "https://user:secret@host/", /without credentials/],
        ["alerts.hitRateWarningPercent", "101", /a whole number from 1 to 99/],
        ["alerts.hitRateCriticalPercent", "80", /less than alerts\.hitRateWarningPercent \(70\)/],
        ["alerts.monthlySavingsDollars", "-1", /a number from 0\.01 to/],
        ["alerts.latencySeconds", "fast", /a number from 0\.001 to 10/],
        ["alerts.latencyObjectiveSeconds", "0.3", /a bucket bound of the histogram: 0\.0001, /],
        ["alerts.savingsWindowHours", "99.99", /is 99\.99; allowed: .* in whole minutes/],
        ["alerts.savingsDataHours", "48", /no more than alerts\.savingsWindowHours \(24\)/],
        ["alerts.certificateCriticalDays", "30", /less than alerts\.certificateWarningDays \(21\)/],
        ["service.cpuLimit", "2000", /at most 256/],
        ["service.memoryLimit", "1370Mi", /is "1370Mi"; allowed: no less than 1474Mi, which a pod/],
        ["service.modelThreads", "16", /no more than service\.cpuLimit \(2\) has CPUs/],
        ["service.localCacheMaxEntries", "1000000", /is 1000000; allowed: no more than 699050/],
        [
            "service.model",
            "text-embedding-3-small",
            /allowed: all-MiniLM-L6-v2, since service\.provider/,
        ],
        ["service.tokenPrices", "2024-13-45=0.02", /oldest first/],
        ["service.tokenPrices", "2027-01-01=0.015,2024-01-25=0.02", /oldest first/],
        ["service.textFolding", "case,case", /some of case, punctuation/],
        ["service.semanticMode", "on", /allowed: off, optIn, optOut/],
        ["service.semanticErrorBudget", "1", /allowed: a number from 0\.001 to 0\.2/],
        ["service.semanticMaxEntries", "10", /a whole number of entries from 100 to 200000/],
        ["edge.controllerCidrs", "10.0.0.0/8", /is "10\.0\.0\.0\/8"; allowed: a list of/],
        ["edge.controllerCidrs", '["fe80::1%eth0/64"]', /address ranges such as/],
        ["blue.image", "https://registry.example/app:v1.2.3", /exact tag/],
        ["blue.image", "Registry.example/App:v1.2.3", /exact tag/],
        ["blue.image", "app:stable", /exact tag/],
        ["redis.image", "redis:6.2.14", /of Redis 7\.0 or newer/],
        ["monitoring.prometheusImage", "prom/prometheus:v2.20.0", /of Prometheus 2\.42 or newer/],
        ["redis.storage", "512Mi", /no less than redis\.memoryLimit \(1Gi\)/],
        ["redis.storageClass", "null", /is "null"; allowed/],
        ["redis.storageClass", "a..b", /name of an object/],
        ["redis.url", "rediss://r.example:99999", /without credentials/],
        ["redis.url", "rediss://r.example:0", /without credentials/],
        ["tracing.url", "http://collector.example.com:99999", /an http or https URL/],
        ["tracing.url", "http://:4318", /an http or https URL/],
        ["tracing.url", "http://[::1:4318", /an http or https URL/],
        ["monitoring.remoteWriteUrl", "https://mimir.example:99999/push", /an http or https URL/],
        ["monitoring.gatewayAddress", "traefik.traefik-system.svc:99999", /host:port such as/],
        ["monitoring.cpuRequest", "3", /no more than 2, its limit/],
        ["alerts.webhookUrl", "http://inbox.example:99999/a", /an http or https URL/],
        ["alerts.slackUrl", "not a url", /is wrong; allowed: an https URL/],
        ["alerts.slackUrl", "http://hooks.slack.example/x", /is wrong; allowed: an https URL/],
        ["alerts.slackUrl", "https://hooks.slack.example:8443/x", /on port 443/],
        ["alerts.runbookUrl", "https://x.example/y/", /a slash at its end/],
        ["admin.token", "short", /is wrong; allowed: a token of at least 32 printable/],
        ["redis.passwords.app", "has space\nuser x on", /is wrong; allowed: a password/],
        ["tenants.platformKey", "a", /is wrong; allowed: a key of at least 16/],
        [
            "tenants.list",
            `[{"id":"platform","keys":[{"sha256":"${"a".repeat(64)}"}]}]`,
            /it lists platform, which is a tenant of the stack's own/,
        ],
        [
            "tenants.list",
            `[{"id":"a","keys":[{"sha256":"${"a".repeat(64)}"}],"cacheMode":"fuzzy"}]`,
            /cacheMode is "fuzzy"; allowed: exact, semantic/,
        ],
        ["tenants.list", '[],"x":[]', /it is not JSON; allowed: a JSON list/],
        ["redis.pasword", "x", /redis\.pasword is unknown/],
    ])("rejects %s = %j", (key, value, message) => {
        expect(() => loadStack({ [key]: value })).toThrow(message);
    });

    test("semantic reuse raises the least memory of a pod, by the number of its texts", () => {
        const leastMebibytes = (change: Record<string, string>): number => {
            const few = {
                "service.provider": "openai",
                "service.model": "text-embedding-3-small",
                "service.memoryLimit": "1Gi",
            };
            try {
                loadStack({ ...few, ...change });
            } catch (error) {
                return Number(/no less than (\d+)Mi/.exec(String(error))?.[1]);
            }
            return NaN;
        };
        const on = { "service.semanticMode": "optIn" };
        const off = leastMebibytes({});
        const usual = leastMebibytes(on);
        expect(usual).toBeGreaterThan(off + 240);
        const more = leastMebibytes({ ...on, "service.semanticMaxEntries": "50000" });
        // 40,000 more texts with vectors of 1,536 numbers: bench/semantic/lookups.ts measures 4.9 MiB for a thousand.
        expect(more - usual).toBeGreaterThan(40 * 4.9);
        // Only the local cache keeps shortened vectors too.
        const unshortened = { "service.model": "text-embedding-ada-002" };
        const usualUnshortened = leastMebibytes({ ...on, ...unshortened });
        expect(usual - off).toBe(usualUnshortened - leastMebibytes(unshortened));
    });

    test.each([
        [{ "service.provider": "openai" }, OF_API],
        [{ "redis.mode": "external" }, ["redis.url", "redis.secretName"]],
        [{ "certificates.enabled": "true" }, ["certificates.email", "edge.hostname"]],
        [{ "edge.controller": "custom" }, ["edge.gatewayClassName", "edge.controllerNamespace"]],
        [{ "alerts.slackUrl": "https://hooks.slack.example/T1" }, ["alerts.slackChannel"]],
    ])("with %j it requires the keys that only then apply", (change, keys) => {
        const [reason] = Object.keys(change);
        for (const key of keys) {
            expect(() => loadStack(change)).toThrow(new RegExp(`${key} is not set; .*since .*`));
        }
        expect(() => loadStack(change)).toThrow(
            reason?.startsWith("certificates") ? /since/ : `since ${reason ?? ""} is`,
        );
    });

    test.each([
        [{ "redis.url": "redis://a:1,redis://b:1" }, /redis\.url is .*allowed: one URL, since/],
        [
            { "redis.clustered": "true", "redis.sentinelMaster": "m" },
            /redis\.sentinelMaster is set; allowed: nothing, since redis\.clustered is/,
        ],
        [{ "redis.caSecretName": "ca" }, /redis\.caSecretName is set; .*not rediss:/],
        [{ "redis.url": "redis://a:1,redis://a:1" }, /redis\.url/],
        [{ "redis.certSecretName": "cert" }, /redis\.certSecretName is set; .*not rediss:/],
    ])("rejects an external Redis with %j", (change, message) => {
        const external = {
            "redis.mode": "external",
            "redis.url": "redis://cache.somewhere.example:6379",
            "redis.secretName": "managed",
        };
        expect(() => loadStack(external)).not.toThrow();
        expect(() => loadStack({ ...external, ...change })).toThrow(message);
    });

    test("takes an empty value of any setting for one that is not set, or names the key", () => {
        const unset = textOfConfig(loadStack());
        for (const [key, row] of ROWS) {
            const isRequired =
                row.required !== undefined ||
                [
                    ...["admin.token", "admin.automationToken"],
                    ...["insights.accessToken", "insights.image", "example.image"],
                ].includes(key);
            const isEmpty = ["", "[]", "{}"].includes(textOf(row.default)) && !isRequired;
            for (const value of isEmpty ? ["", textOf(row.default)] : [""]) {
                const loadEmpty = () => textOfConfig(loadStack({ [key]: value }));
                if (isEmpty) expect([key, loadEmpty()]).toEqual([key, unset]);
                else if (!OF_SERVICE.has(key))
                    expect(loadEmpty).toThrow(`:${key} is not set; allowed: `);
            }
        }
    });

    test("uses the default thresholds of the rules unless the stack sets others", () => {
        const { thresholds } = loadStack().monitoring;
        expect({ ...thresholds, jobs: [] }).toEqual({ ...DEFAULT_THRESHOLDS, jobs: [] });
        expect(thresholds.jobs).toEqual([
            ...[...DEFAULT_THRESHOLDS.jobs, "grafana", "property-search"],
        ]);
        const local = loadStack({
            "grafana.enabled": "false",
            "monitoring.gatewayAddress": "gateway:8081",
            "alerts.monthlySavingsDollars": "250.5",
        }).monitoring.thresholds;
        expect(local.jobs).toEqual(expect.arrayContaining(["gateway", "redis"]));
        expect(local.jobs).not.toContain("grafana");
        expect(local.monthlySavingsDollars).toBe(250.5);
    });

    test("reports all problems together", () => {
        const wrong = { "blue.image": "x", "redis.mode": "y", "edge.httpPort": "z", unknown: "1" };
        expect(() => loadStack(wrong)).toThrow(/4 errors:(\n {2}- property-search:.*){4}$/);
    });

    test("never shows a secret's value", () => {
        const wrong = { "redis.passwords.app": "a-secret", "service.upstreamApiKey": "a-secret" };
        expect(() => loadStack({ ...wrong, "redis.mode": "y" })).toThrow(
            expect.objectContaining({ message: expect.not.stringContaining("a-secret") }),
        );
    });

    const { secretKeys: SECRET_KEYS } = stackConfig("dev", undefined);
    test.each(SECRET_KEYS)("rejects %s in plain text in the stack's config", (full) => {
        const key = full.replace("property-search:", "");
        const { values } = stackConfig("dev", undefined, { [key]: "readable-by-all-of-the-world" });
        const others = SECRET_KEYS.filter((one) => one !== full);
        pulumi.runtime.setAllConfig({ ...values }, others);
        const message = expect.stringContaining(
            `${full} is readable in the stack's config; allowed: pulumi config set --secret`,
        );
        const loading = () => loadConfig(readerOf("property-search"));
        expect(loading).toThrow(expect.objectContaining({ message }));
        expect(loading).not.toThrow(/readable-by/);
    });

    test("keeps secrets secret", async () => {
        const { redis } = loadStack();
        if (redis.mode === "external") throw new Error("stack dev has its own Redis");
        for (const password of Object.values(redis.passwords)) {
            expect(await pulumi.isSecret(password)).toBe(true);
        }
    });
});

describe("autoscaling", () => {
    const misses = (change: Record<string, string>) => loadStack(change).autoscaling.misses;

    test("derives the target misses of a pod from its CPU request", () => {
        for (const [cpuRequest, perPod] of [
            ["1", MISSES_PER_CPU],
            ["500m", MISSES_PER_CPU / 2],
            ["100m", MISSES_PER_CPU / 10],
        ] as const) {
            expect(misses({ "service.cpuRequest": cpuRequest })).toEqual({
                metric: "keda",
                perPod,
            });
        }
    });

    test("uses the target that the stack sets", () => {
        expect(misses({ "autoscaling.missesPerSecondPerPod": "7.5" })?.perPod).toBe(7.5);
    });

    test("uses no misses and needs no target for them with metric none", () => {
        const none = { "autoscaling.metric": "none", "autoscaling.missesPerSecondPerPod": "7.5" };
        expect(misses(none)).toBeUndefined();
        const openai = {
            "service.provider": "openai",
            "service.upstreamUrl": "https://a.example/v1",
            "service.upstreamApiKey": "key",
        };
        expect(misses({ ...openai, "autoscaling.metric": "none" })).toBeUndefined();
    });

    test("is rejected on misses without monitoring", () => {
        const without = { "monitoring.enabled": "false" };
        expect(() => loadStack(without)).toThrow(
            /autoscaling\.metric is "keda"; allowed: none, since monitoring\.enabled is false/,
        );
        expect(misses({ ...without, "autoscaling.metric": "none" })).toBeUndefined();
    });

    test("uses memory only if configured", () => {
        expect(loadStack().autoscaling.memoryPercent).toBeUndefined();
        const config = loadStack({ "autoscaling.memoryPercent": "80" });
        expect(config.autoscaling.memoryPercent).toBe(80);
    });
});

describe("generated secrets", () => {
    const value = "a-value-of-more-than-32-characters-x";

    test.each([
        ["admin.token", "admin.automationToken"],
        ["admin.automationToken", "insights.accessToken"],
        ["tenants.platformKey", "admin.token"],
        ["redis.passwords.exporter", "redis.passwords.admin"],
        ["redis.passwords.app", "redis.nextPasswords.exporter"],
        ["tenants.previousPlatformKey", "insights.accessToken"],
        ["insights.accessToken", "grafana.adminPassword"],
    ])("%s and %s must differ", (first, second) => {
        expect(() => loadStack({ [first]: value, [second]: value })).toThrow(
            `${second} is the same as ${first}; allowed: a value of its own`,
        );
        expect(() => loadStack({ [first]: value, [second]: `${value}y` })).not.toThrow();
    });

    test("one may have the values of its own rotation", () => {
        const key = "redis.passwords.app";
        const next = { [key]: value, "redis.nextPasswords.app": value };
        expect(() => loadStack(next)).not.toThrow();
    });
});

describe("stackConfig", () => {
    test("merges the project's defaults, the stack's file and the overrides", () => {
        const { values } = stackConfig("prod", undefined, { "service.maxReplicas": "4" });
        expect(values).toMatchObject({
            "property-search:redis.mode": "cluster",
            "property-search:service.cacheTtlSeconds": "604800",
            "property-search:service.maxReplicas": "4",
        });
    });

    test("masks generated secrets by default", () => {
        const { values } = stackConfig("prod", undefined);
        for (const key of GENERATED_SECRETS)
            expect(values[`property-search:${key}`]).toBe("[secret]");
    });

    test("masks nothing if values are passed: a missing one is not set", () => {
        const given = { "redis.passwords.app": "one" };
        const { values } = stackConfig("prod", given);
        expect(values["property-search:redis.passwords.app"]).toBe("one");
        // Empty, as Pulumi.yaml has it by default.
        expect(values["property-search:redis.passwords.admin"]).toBe("");
        expect(Object.values(values)).not.toContain("[secret]");
    });

    describe("with a secret in the stack's file", () => {
        const folder = makeTemporaryFolder();
        const write = (value: string) => {
            writeFileSync(
                path.join(folder, "Pulumi.yaml"),
                `name: p\nconfig: { '["redis.passwords.app"]': { secret: true } }\n`,
            );
            writeFileSync(
                path.join(folder, "Pulumi.s.yaml"),
                `config: { p:redis.passwords.app: ${value} }\n`,
            );
        };
        const load = (given?: Record<string, string>) =>
            stackConfig("s", given, {}, folder).values["p:redis.passwords.app"];

        test("masks it where it is encrypted", () => {
            write("{ secure: v1:abc }");
            expect(load()).toBe("[secret]");
        });

        test("requires its value if values are shown", () => {
            write("{ secure: v1:abc }");
            expect(() => load({})).toThrow(/redis\.passwords\.app cannot be read/);
            expect(load({ "redis.passwords.app": "given" })).toBe("given");
        });

        test("does not treat plain text as a secret, which the program rejects", () => {
            write("a-password");
            const { secretKeys } = stackConfig("s", undefined, {}, folder);
            expect(secretKeys).not.toContain("p:redis.passwords.app");
            expect(secretKeys).toContain("p:redis.passwords.admin");
        });
    });

    test("names a stack that does not exist", () => {
        expect(() => stackConfig("prd", undefined)).toThrow(/stack is "prd"; .*Pulumi\.prd\.yaml/);
    });
});
