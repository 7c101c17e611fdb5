import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { datedPrices } from "@property-search/contract/settings";

import { readConfig } from "../src/config.ts";
import { ConfigError } from "../src/settingsReader.ts";
import { makeCertificates, type Certificates } from "./support/certificates.ts";

const TOKEN = "a-token-of-more-than-32-characters";
const local = { MODEL_DIR: "/model", ANONYMOUS: "true" };

function problems(environment: Record<string, string>): readonly string[] {
    try {
        readConfig(environment);
    } catch (error) {
        if (error instanceof ConfigError) return error.problems;
        throw error;
    }
    return [];
}

describe("the environment", () => {
    test("a model directory is sufficient: everything else has a default", () => {
        expect(readConfig(local)).toEqual({
            port: 8001,
            colour: "none",
            version: "dev",
            redis: undefined,
            cacheTtlSeconds: 604_800,
            experiments: [],
            staleIfErrorSeconds: 86_400,
            cachePrecision: "float32",
            textFolding: [],
            corsOrigins: [],
            localCacheMaxEntries: 2_000,
            localCacheEntriesLimit: 1_000_000,
            costPerRequestDollars: "0.001",
            tokenPrices: "",
            podCostPerHourDollars: "0",
            storageCostPerHourDollars: "0",
            tracing: undefined,
            model: "all-MiniLM-L6-v2",
            provider: { name: "local", directory: "/model", threads: 1 },
            drainTimeoutSeconds: 30,
            tenants: { file: undefined, anonymous: true },
            logLevel: "info",
        });
    });

    test("an empty variable equals an absent one", () => {
        expect(readConfig({ ...local, REDIS_URL: "", COLOUR: " " }).redis).toBeUndefined();
    });

    test("credentials are set separately from the URL of Redis", () => {
        const redis = {
            REDIS_URL: "rediss://cache:6380",
            REDIS_MODE: "cluster",
            REDIS_USERNAME: "app",
            REDIS_PASSWORD: "secret",
        };
        expect(readConfig({ ...local, ...redis }).redis).toEqual({
            urls: [new URL("rediss://cache:6380")],
            mode: "cluster",
            username: "app",
            password: "secret",
            sentinel: undefined,
            tls: { ca: undefined, cert: undefined, key: undefined },
        });
    });

    test("token prices are read with their dates, a collector with its share", () => {
        const { tokenPrices, tracing } = readConfig({
            ...local,
            EMBEDDING_TOKEN_PRICES: "2024-01-25=0.02, 2027-01-01=0.015",
            OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
            OTEL_TRACES_SAMPLER_ARG: "0.1",
        });
        expect(datedPrices(tokenPrices)).toEqual([
            { from: Date.UTC(2024, 0, 25), dollarsPerMillionTokens: 0.02 },
            { from: Date.UTC(2027, 0, 1), dollarsPerMillionTokens: 0.015 },
        ]);
        expect(tracing).toEqual({ url: new URL("http://collector:4318"), share: 0.1 });
    });

    test.each(["0.02", "2024-01-25", "2024-13-01=1", "2027-01-01=1,2024-01-01=2", "2024-01-01=-1"])(
        "the price list %s is rejected",
        (prices) => {
            expect(problems({ ...local, EMBEDDING_TOKEN_PRICES: prices })).toEqual([
                expect.stringMatching(
                    /^EMBEDDING_TOKEN_PRICES is ".*"; allowed: dates and dollars/,
                ),
            ]);
        },
    );
    test("a login of Redis comes from files or from variables, not both", () => {
        const folder = mkdtempSync(join(tmpdir(), "redis-login-"));
        const redis = { REDIS_URL: "redis://one:6379", REDIS_CREDENTIALS_DIR: folder };
        const read = (change: Record<string, string> = {}) =>
            readConfig({ ...local, ...redis, ...change });
        try {
            expect(() => read()).toThrow(
                /REDIS_CREDENTIALS_DIR is ".*"; allowed: a folder with the file password \(it has no/,
            );
            writeFileSync(join(folder, "password"), "secret");
            expect(read().redis).toMatchObject({ credentials: folder });
            expect(() => read({ REDIS_PASSWORD: "other" })).toThrow(
                /REDIS_PASSWORD is wrong; allowed: nothing, since REDIS_CREDENTIALS_DIR is set/,
            );
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    test.each([
        [{ AUTOMATION_TOKEN: TOKEN }, "AUTOMATION_TOKEN", "ADMIN_TOKEN"],
        [{ REDIS_PASSWORD: TOKEN, REDIS_URL: "redis://one" }, "ADMIN_TOKEN", "REDIS_PASSWORD"],
        [
            { EMBEDDING_PROVIDER: "openai", UPSTREAM_API_KEY: TOKEN },
            "ADMIN_TOKEN",
            "UPSTREAM_API_KEY",
        ],
    ])("%j may not have the value of the admin token", (environment, variable, other) => {
        const found = problems({ ...local, ADMIN_TOKEN: TOKEN, ...environment });
        expect(found).toContain(
            `${variable} is wrong; allowed: a value of its own, not ${other}'s`,
        );
        expect(found.join()).not.toContain(TOKEN);
    });

    test("sentinels are a list, with the name of the primary", () => {
        const redis = {
            REDIS_URL: "redis://one:26379, redis://two",
            REDIS_MODE: "sentinel",
            REDIS_SENTINEL_MASTER: "cache",
            REDIS_SENTINEL_PASSWORD: "of-the-sentinels",
        };
        expect(readConfig({ ...local, ...redis }).redis).toMatchObject({
            urls: [new URL("redis://one:26379"), new URL("redis://two")],
            sentinel: { master: "cache", password: "of-the-sentinels" },
            tls: undefined,
        });
    });

    test.each([
        [
            { REDIS_MODE: "sentinel" },
            "REDIS_SENTINEL_MASTER is not set; allowed: the sentinels' name",
        ],
        [{ REDIS_SENTINEL_MASTER: "m" }, 'REDIS_SENTINEL_MASTER is "m"; allowed: nothing, since'],
        [
            { REDIS_URL: "redis://a,redis://b" },
            'REDIS_URL is "redis://a,redis://b"; allowed: one URL, since',
        ],
        [
            { REDIS_URL: "redis://a,rediss://b", REDIS_MODE: "cluster" },
            'REDIS_URL is "redis://a,rediss://b"; allowed: URLs that all begin',
        ],
        [
            { REDIS_URL: "redis://a,b", REDIS_MODE: "cluster" },
            'REDIS_URL is "redis://a,b"; allowed: a URL',
        ],
        [{ REDIS_CA_FILE: "/ca" }, 'REDIS_CA_FILE is "/ca"; allowed: nothing, since REDIS_URL'],
        [{ REDIS_URL: "redis://a?db=3" }, 'REDIS_URL is wrong; allowed: URLs without "?" and "#"'],
        [
            { REDIS_URL: "redis://a#3" },
            'REDIS_URL is "redis://a#3"; allowed: URLs without "?" and "#"',
        ],
        [{ REDIS_URL: "redis://a?" }, 'REDIS_URL is wrong; allowed: URLs without "?" and "#"'],
        [
            { REDIS_URL: "redis://a/cache" },
            'REDIS_URL is "redis://a/cache"; allowed: nothing after the port except a database number',
        ],
        [
            { REDIS_URL: "redis://a/1/2" },
            'REDIS_URL is "redis://a/1/2"; allowed: nothing after the port except a database number',
        ],
        [
            { REDIS_URL: "redis://a/1", REDIS_MODE: "cluster" },
            'REDIS_URL is "redis://a/1"; allowed: nothing after the port except a database number',
        ],
        [{ REDIS_URL: "redis://:100%@a" }, "REDIS_URL is wrong; allowed: a user and password that"],
        [{ REDIS_URL: "redis://app@a" }, "REDIS_URL is wrong; allowed: a password with the user"],
        [{ REDIS_URL: "redis://a:0" }, 'REDIS_URL is "redis://a:0"; allowed: a port from 1'],
        [
            { REDIS_URL: "redis://:p@a", REDIS_PASSWORD: "q" },
            "REDIS_URL is wrong; allowed: no password in the URL",
        ],
        [
            { REDIS_URL: "redis://u:p@a", REDIS_USERNAME: "v" },
            "REDIS_URL is wrong; allowed: no username in the URL",
        ],
        [
            { REDIS_URL: "redis://:p@a,redis://:q@b", REDIS_MODE: "cluster" },
            "REDIS_URL is wrong; allowed: the same password in every URL",
        ],
    ])("with %j it reports the problem", (change, message) => {
        const found = problems({ ...local, REDIS_URL: "redis://cache:6379", ...change });
        expect(found).toEqual([expect.stringContaining(message)]);
    });

    test.each([
        [{ REDIS_URL: "redis://app@a", REDIS_PASSWORD: "p" }],
        [{ REDIS_URL: "redis://app:p%25%2F@a/15" }],
        [{ REDIS_URL: "redis://:p@a,redis://b", REDIS_MODE: "cluster" }],
        [{ REDIS_URL: "redis://a/0", REDIS_MODE: "cluster" }],
        [{ REDIS_URL: "redis://a:6379/" }],
    ])("%j is parsed completely", (redis) => {
        expect(problems({ ...local, ...redis })).toEqual([]);
    });

    test.each(["UPSTREAM_URL", "UPSTREAM_FALLBACK_URLS", "OTEL_EXPORTER_OTLP_ENDPOINT"])(
        "%s has no part that would be ignored",
        (variable) => {
            const api = { EMBEDDING_PROVIDER: "openai", UPSTREAM_URL: "http://a/v1" };
            for (const url of ["http://u:p@a/v1", "http://a/v1#x", "http://a/v1?", "ftp://a"]) {
                const [found] = problems({ ...api, ANONYMOUS: "true", [variable]: url });
                expect(found).toMatch(new RegExp(`^${variable} is `));
                expect(found).not.toContain("u:p");
            }
        },
    );

    test.each([
        ["https://a.example, http://localhost:5173", []],
        ["*", []],
        ["https://a.example/", ["CORS_ORIGINS is"]],
        ["*,https://a.example", ["CORS_ORIGINS is"]],
        ["a.example", ["CORS_ORIGINS is"]],
        ["null", ["CORS_ORIGINS is"]],
    ])("CORS_ORIGINS %s", (origins, messages) => {
        const found = problems({ ...local, CORS_ORIGINS: origins });
        expect(found).toEqual(messages.map((message) => expect.stringContaining(message)));
    });

    const api = {
        EMBEDDING_PROVIDER: "openai",
        UPSTREAM_URL: "https://a.example/v1",
        UPSTREAM_API_KEY: "key-of-a",
        ANONYMOUS: "true",
    };
    const providerOf = (change: Record<string, string>) =>
        readConfig({ ...api, ...change }).provider;

    test("the primary's key is for no other host than the primary's", () => {
        const urls = "https://a.example/other,https://b.example/v1,https://a.example:8443/v1";
        const fallbackKeys = (keys: Record<string, string>) => {
            const provider = providerOf({ UPSTREAM_FALLBACK_URLS: urls, ...keys });
            return provider.name === "openai" && provider.fallbacks.map(({ apiKey }) => apiKey);
        };
        expect(fallbackKeys({})).toEqual(["key-of-a", undefined, undefined]);
        expect(fallbackKeys({ UPSTREAM_FALLBACK_API_KEYS: "one,,three" })).toEqual([
            "one",
            undefined,
            "three",
        ]);
        const found = problems({
            ...api,
            UPSTREAM_FALLBACK_URLS: urls,
            UPSTREAM_FALLBACK_API_KEYS: "a,b",
        });
        expect(found).toEqual([
            expect.stringMatching(/^UPSTREAM_FALLBACK_API_KEYS is wrong; allowed: as many .*\(3\)/),
        ]);
    });

    test("an upstream's URL may have Azure's version, and no other query", () => {
        const url = "https://a.example/openai/deployments/small?api-version=2024-10-21";
        expect(providerOf({ UPSTREAM_URL: url })).toMatchObject({ url: new URL(url) });
        for (const query of ["?key=secret", "?api-version=", "?api-version=1&key=secret"]) {
            const found = problems({ ...api, UPSTREAM_URL: `https://a.example/v1${query}` });
            expect(found).toEqual([
                expect.stringMatching(
                    /^UPSTREAM_URL is wrong; allowed: .* query, but \?api-version=/,
                ),
            ]);
        }
    });

    test("proxies have the usual names, in both spellings, and no path", () => {
        const proxy = { HTTPS_PROXY: "http://user:word@proxy:3128", no_proxy: "svc,.local" };
        expect(providerOf(proxy)).toMatchObject({
            proxy: {
                httpsUrl: new URL(proxy.HTTPS_PROXY),
                httpUrl: undefined,
                exceptHosts: "svc,.local",
            },
        });
        for (const value of ["proxy:3128", "http://proxy/path", "socks5://proxy"]) {
            const [found] = problems({ ...api, http_proxy: value });
            expect(found).toMatch(/^HTTP_PROXY is .*; allowed: the URL of a proxy such as/);
        }
    });

    test("an upstream's URL has one spelling, because it identifies the weights", () => {
        const pathOf = (url: string) => {
            const api = { EMBEDDING_PROVIDER: "openai", UPSTREAM_URL: url, ANONYMOUS: "true" };
            const { provider } = readConfig(api);
            return provider.name === "openai" ? provider.url.href : "";
        };
        expect(["http://a/v1/", "HTTP://A/./v1//", "http://a:80/v1"].map(pathOf)).toEqual(
            Array(3).fill("http://a/v1"),
        );
    });

    test("foldings of texts have a fixed order, and unknown ones are rejected", () => {
        const { textFolding } = readConfig({ ...local, TEXT_FOLDING: "punctuation, case" });
        expect(textFolding).toEqual(["case", "punctuation"]);
        expect(problems({ ...local, TEXT_FOLDING: "case,stems" })).toEqual([
            'TEXT_FOLDING is "case,stems"; allowed: some of case, punctuation, comma-separated',
        ]);
    });

    test("all errors are reported at once, each with variable, value and what is allowed", () => {
        const wrong = { PORT: "70000", COLOUR: "red", CACHE_TTL: "-1", LOG_LEVEL: "loud" };
        const found = problems({ ...local, ...wrong });
        expect(found).toHaveLength(4);
        expect(found).toContain('PORT is "70000"; allowed: a whole number from 1 to 65535');
        expect(found).toContain('COLOUR is "red"; allowed: blue, green, none');
    });

    test("the local model without a directory explains how to get one", () => {
        expect(problems({ ANONYMOUS: "true" }).join()).toMatch(
            /MODEL_DIR is not set; .*make model/,
        );
    });

    test("serving no client at all is an error, not a default", () => {
        expect(problems({ MODEL_DIR: "/model" })).toEqual([
            expect.stringMatching(/^TENANTS_FILE is not set; .*ANONYMOUS=true/),
        ]);
    });

    test("an API without a URL is rejected", () => {
        expect(problems({ EMBEDDING_PROVIDER: "openai", ANONYMOUS: "true" }).join()).toMatch(
            /UPSTREAM_URL is not set/,
        );
    });

    test("an invalid URL is not shown, because it may contain a password", () => {
        const found = problems({ ...local, REDIS_URL: "http://user:hunter2@host" });
        expect(found).toEqual([
            "REDIS_URL is wrong; allowed: a URL such as redis://host:6379, or several, comma-separated",
        ]);
    });
});

describe("files for TLS", () => {
    let files: Certificates;

    beforeAll(async () => {
        files = await makeCertificates();
    });
    afterAll(() => files.remove());

    const wrong = (change: Record<string, string>) =>
        problems({ ...local, REDIS_URL: "rediss://cache:6380", ...change });

    test("are accepted if each is valid and the key belongs to the certificate", () => {
        const { cert, key } = files.client;
        const sound = { REDIS_CA_FILE: files.ca, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key };
        expect(wrong(sound)).toEqual([]);
    });

    test("that are unreadable, invalid or do not match are errors", () => {
        const { client, server, noPem } = files;
        expect(wrong({ REDIS_CA_FILE: "/no/such" })).toEqual([
            expect.stringMatching(
                /^REDIS_CA_FILE is "\/no\/such"; .*certificates in PEM \(.*ENOENT/,
            ),
        ]);
        expect(wrong({ REDIS_CA_FILE: noPem })).toEqual([
            expect.stringContaining("it contains no certificate"),
        ]);
        expect(wrong({ REDIS_CERT_FILE: client.cert, REDIS_KEY_FILE: noPem })).toEqual([
            expect.stringMatching(/^REDIS_KEY_FILE is .*key in PEM/),
        ]);
        expect(wrong({ REDIS_CERT_FILE: client.cert, REDIS_KEY_FILE: server.key })).toEqual([
            expect.stringContaining("it belongs to another certificate"),
        ]);
        expect(wrong({ REDIS_CERT_FILE: client.cert })).toEqual([
            "REDIS_KEY_FILE is not set; allowed: a file, since REDIS_CERT_FILE is set",
        ]);
        expect(wrong({ REDIS_KEY_FILE: client.key })).toEqual([
            "REDIS_CERT_FILE is not set; allowed: a file, since REDIS_KEY_FILE is set",
        ]);
    });
});
