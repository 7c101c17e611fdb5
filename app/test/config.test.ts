import { describe, expect, test } from "@jest/globals";

import { ConfigError, readConfig } from "../src/config.ts";

const local = { MODEL_DIR: "/model", ANONYMOUS: "true" };

function findings(environment: Record<string, string>): readonly string[] {
    try {
        readConfig(environment);
    } catch (error) {
        if (error instanceof ConfigError) return error.findings;
        throw error;
    }
    return [];
}

describe("the environment", () => {
    test("a model's folder is enough: everything else has a default", () => {
        expect(readConfig(local)).toEqual({
            port: 8001,
            colour: "none",
            version: "dev",
            redis: undefined,
            cacheTtlSeconds: 604_800,
            cacheStaleSeconds: 86_400,
            cachePrecision: "float32",
            maxLocalEntries: 2_000,
            costPerRequest: 0.001,
            model: "all-MiniLM-L6-v2",
            provider: { name: "local", directory: "/model", threads: 1 },
            drainTimeoutSeconds: 30,
            tenants: { file: undefined, anonymous: true },
            logLevel: "info",
        });
    });

    test("an empty variable is an absent one", () => {
        expect(readConfig({ ...local, REDIS_URL: "", COLOUR: " " }).redis).toBeUndefined();
    });

    test("credentials come beside the URL of Redis", () => {
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

    test("all findings come at once, each with variable, value and what is allowed", () => {
        const wrong = { PORT: "70000", COLOUR: "red", CACHE_TTL: "-1", LOG_LEVEL: "loud" };
        const found = findings({ ...local, ...wrong });
        expect(found).toHaveLength(4);
        expect(found).toContain('PORT is "70000"; allowed: a whole number from 1 to 65535');
        expect(found).toContain('COLOUR is "red"; allowed: one of blue, green, or nothing');
    });

    test("the local model without a folder says how to get one", () => {
        expect(findings({ ANONYMOUS: "true" }).join()).toMatch(
            /MODEL_DIR is not set; .*make model/,
        );
    });

    test("nobody to serve is a mistake, not a default", () => {
        expect(findings({ MODEL_DIR: "/model" })).toEqual([
            expect.stringMatching(/^TENANTS_FILE is not set; .*ANONYMOUS=true/),
        ]);
    });

    test("an API without a URL is refused", () => {
        expect(findings({ EMBEDDING_PROVIDER: "openai", ANONYMOUS: "true" }).join()).toMatch(
            /UPSTREAM_URL is not set/,
        );
    });

    test("a wrong URL is not shown, since it may hold a password", () => {
        const found = findings({ ...local, REDIS_URL: "http://user:hunter2@host" });
        expect(found).toEqual([
            "REDIS_URL is wrong; allowed: a URL such as redis://host:6379, or several with commas between them",
        ]);
    });
});
