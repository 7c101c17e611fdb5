import { describe, expect, test } from "@jest/globals";
import { ADMIN_PATHS } from "@property-search/contract";

import { readConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/settingsReader.ts";
import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { startService, stubEnvironment } from "../support/service.ts";
import { setUpService, setUpRedis, setUpUpstream } from "../support/setUp.ts";

const upstream = setUpUpstream();
const redis = setUpRedis(["--requirepass", "a-password"]);

const service = setUpService(() => {
    const url = new URL(`redis://default:a-password@127.0.0.1:${redis.port}`);
    return { ...stubEnvironment(upstream.url, url), ADMIN_TOKEN };
});
const admin = adminOf(service);

/** All paths and methods of the server's OpenAPI description. */
async function everyPath(): Promise<readonly (readonly [string, string])[]> {
    const { json } = await admin("GET", "/openapi.json");
    const { paths } = json as { paths: Record<string, Record<string, unknown>> };
    return Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map(
            (method) => [method.toUpperCase(), path.replace("/admin/v1", "")] as const,
        ),
    );
}

describe("The admin port", () => {
    test("rejects every path without the token, and with a wrong one", async () => {
        const paths = [...(await everyPath()), ["GET", "/openapi.json"], ["GET", "/none"]] as const;
        expect(paths.length).toBeGreaterThan(8);
        for (const [method, path] of paths) {
            for (const authorization of ["", "Basic x", "Bearer ", `Bearer ${ADMIN_TOKEN}x`]) {
                const answer = await admin(method, path, undefined, { authorization });
                expect([path, answer.status]).toEqual([path, 401]);
                expect(answer.headers.get("www-authenticate")).toBe("Bearer");
                expect(answer.json).toMatchObject({ error: { code: "invalid_admin_token" } });
            }
        }
    });

    test("does not exist without a token, and not on the port of clients", async () => {
        const plain = await startService(stubEnvironment(upstream.url));
        expect(plain.adminUrl).toBeUndefined();
        await plain.stop();
        const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
        const answer = await fetch(`${service.url}/admin/v1/config`, { headers });
        expect(answer.status).toBe(404);
    });

    test("shows the programs of the stack its part for them, by a token of its own", async () => {
        const AUTOMATION_TOKEN = "another-token-of-more-than-32-characters";
        const automated = await startService({
            ...stubEnvironment(upstream.url),
            ADMIN_TOKEN,
            AUTOMATION_TOKEN,
        });
        const status = async (url: string | undefined, path: string, token: string) => {
            const headers = { authorization: `Bearer ${token}` };
            const { status, body } = await fetch(`${url ?? ""}${path}`, { headers });
            await body?.cancel();
            return status;
        };
        const { automationUrl, adminUrl } = automated;
        for (const path of ["/hot-keys", ADMIN_PATHS.settings])
            expect([path, await status(automationUrl, path, AUTOMATION_TOKEN)]).toEqual([
                path,
                200,
            ]);
        // Semantic reuse is off.
        for (const path of [ADMIN_PATHS.conceptRules, ADMIN_PATHS.termPairs])
            expect(await status(automationUrl, path, AUTOMATION_TOKEN)).toBe(409);
        expect(await status(automationUrl, "/hot-keys", ADMIN_TOKEN)).toBe(401);
        expect(await status(adminUrl, "/hot-keys", AUTOMATION_TOKEN)).toBe(401);
        const stop = await fetch(`${automationUrl ?? ""}${ADMIN_PATHS.tuning}`, {
            method: "PUT",
            headers: { authorization: `Bearer ${AUTOMATION_TOKEN}` },
        });
        await stop.body?.cancel();
        expect(stop.status).toBe(404);
        for (const path of ["/config", "/export?tenant=anonymous"]) {
            expect([path, await status(automationUrl, path, AUTOMATION_TOKEN)]).toEqual([
                path,
                404,
            ]);
            expect(await status(adminUrl, path, ADMIN_TOKEN)).not.toBe(404);
        }
        expect(service.automationUrl).toBeUndefined();
        await automated.stop();
    });

    test("rejects guessable tokens without showing them", () => {
        const read = () => readConfig({ MODEL_DIR: "/model", ADMIN_TOKEN: "swordfish" });
        expect(read).toThrow(ConfigError);
        expect(read).toThrow(/ADMIN_TOKEN is wrong; allowed: a token of at least 32/);
        expect(read).not.toThrow(/swordfish/);
    });

    test("describes every path, its fields and its responses", async () => {
        const { json } = await admin("GET", "/openapi.json");
        expect(json).toMatchObject({ openapi: "3.1.0", security: [{ bearer: [] }] });
        const { paths } = json as { paths: Record<string, Record<string, object>> };
        for (const methods of Object.values(paths)) {
            for (const operation of Object.values(methods)) {
                expect(operation).toMatchObject({
                    summary: expect.stringMatching(/./),
                    responses: expect.objectContaining({ "4XX": expect.anything() }),
                });
            }
        }
    });

    test("responds to unknown paths and methods", async () => {
        const unknown = await admin("GET", "/none?text=private");
        expectRefusal(
            unknown,
            404,
            "GET /admin/v1/none does not exist; see /admin/v1/openapi.json",
        );
        expect((await admin("DELETE", "/config")).status).toBe(404);
    });

    test("returns the configuration without its secrets", async () => {
        const { status, text, json } = await admin("GET", "/config");
        expect(status).toBe(200);
        expect(json).toMatchObject({
            model: "stub-model",
            cacheTtlSeconds: 604_800,
            admin: { token: "[secret]" },
            provider: { name: "openai", apiKey: "[secret]" },
            redis: { urls: [`redis://default:[secret]@127.0.0.1:${redis.port}`] },
        });
        for (const secret of [ADMIN_TOKEN, "a-key", "a-password"])
            expect(text).not.toContain(secret);
    });

    test("returns the current state of the pod", async () => {
        const { json } = await admin("GET", "/state");
        expect(json).toMatchObject({
            colour: "blue",
            redis: "up",
            cache: { entries: 0 },
            upstream: {
                waitingInputs: 0,
                callsInFlight: 0,
                concurrencyLimit: expect.any(Number),
                inputsPerCall: 256,
                endpoints: [{ role: "primary", breaker: "closed", cooldownMilliseconds: 0 }],
            },
            waitingRequests: 0,
            memoryBytes: { rss: expect.any(Number) },
        });
    });

    test("sets the log level, and rejects other values with the allowed ones", async () => {
        expect((await admin("GET", "/log-level")).json).toEqual({ level: "silent" });
        expect((await admin("PUT", "/log-level", { level: "fatal" })).json).toEqual({
            level: "fatal",
        });
        expect((await admin("GET", "/log-level")).json).toEqual({ level: "fatal" });
        const wrong = await admin("PUT", "/log-level", { level: "loud" });
        expectRefusal(wrong, 400, /^level is "loud"; allowed: fatal, error, warn, info, debug/);
    });

    test.each([
        [{}, "level is missing"],
        [{ level: "info", more: 1 }, "more is unknown; allowed: level"],
        ["{", /JSON/],
    ])("names the problem with %j", async (body, words) => {
        const headers = { "content-type": "application/json" };
        const answer = await admin("PUT", "/log-level", body, headers);
        expectRefusal(answer, 400, words);
    });

    test("rejects a body of another type with 415", async () => {
        const answer = await admin("PUT", "/log-level", "level=info");
        expectRefusal(answer, 415, /Unsupported Media Type/);
    });
});
