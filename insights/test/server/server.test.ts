import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { request as httpRequest } from "node:http";
import { SCHEMA_VERSION } from "../../src/analysis/report.ts";
import type { ImpactView } from "../../src/impact/view.ts";
import { loadAssets } from "../../src/server/assets.ts";
import { serve, type RunningServer } from "../../src/server/serve.ts";
import { usualReport } from "../support/reports.ts";

const TOKEN = "a-token-of-many-characters";
/** No client connects to port 1. */
const NO_PROMETHEUS = "http://127.0.0.1:1";

let folder: string;
let server: RunningServer;
let clock: number;
let printed: string[];

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "impact-"));
    clock = Date.parse("2026-11-30T10:37:20Z") / 1000;
    printed = [];
    server = await start();
});

afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
});

const start = (accessToken = TOKEN): Promise<RunningServer> =>
    serve({
        ...{ folder, keep: 2, port: 0, accessToken },
        prometheus: { url: NO_PROMETHEUS, retryMilliseconds: [] },
        print: (line) => printed.push(line),
        now: () => clock,
    });

const url = (where: string) => `http://127.0.0.1:${server.port}${where}`;
const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` });

const get = (where: string, headers: Record<string, string> = bearer(), rest: RequestInit = {}) =>
    fetch(url(where), { headers, redirect: "manual", ...rest });

const put = (where: string, body: unknown, headers: Record<string, string> = bearer()) =>
    fetch(url(where), {
        method: "PUT",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
    });

const logIn = (token: string, headers: Record<string, string> = {}) =>
    fetch(url("/impact/login"), {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams({ token }),
    });

/** Without the client's own treatment of paths and encodings. */
function getRaw(
    where: string,
    headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }> {
    return new Promise((resolve, reject) => {
        httpRequest(
            {
                host: "127.0.0.1",
                port: server.port,
                path: where,
                agent: false,
                headers: { ...bearer(), ...headers },
            },
            (response) => {
                const pieces: Buffer[] = [];
                response.on("data", (piece: Buffer) => pieces.push(piece));
                response.on("end", () =>
                    resolve({
                        status: response.statusCode ?? 0,
                        headers: response.headers,
                        body: Buffer.concat(pieces),
                    }),
                );
            },
        )
            .on("error", reject)
            .end();
    });
}

const errorOf = async (response: Response) => ((await response.json()) as { error: string }).error;

describe("access", () => {
    test("health needs no token, all else does", async () => {
        expect((await get("/healthz", {})).status).toBe(200);
        expect((await get("/readyz", {})).status).toBe(200);
        for (const where of [
            "/impact/api/impact",
            "/impact/api/reports",
            "/impact/assets/uplot.js",
        ])
            expect((await get(where, {})).status).toBe(401);
        expect((await get("/elsewhere")).status).toBe(404);
    });

    test("a browser gets the login form, and a cookie for the token", async () => {
        const form = await get("/impact", {});
        expect([form.status, await form.text()]).toEqual([401, expect.stringContaining("<form")]);
        const answer = await logIn(TOKEN);
        expect([answer.status, answer.headers.get("location")]).toEqual([303, "/impact"]);
        const cookie = answer.headers.get("set-cookie") ?? "";
        expect(cookie).toMatch(/; Path=\/impact; Max-Age=43200; HttpOnly; SameSite=Strict$/);
        const [session = ""] = cookie.split(";");
        expect((await get("/impact", { cookie: session })).status).toBe(200);
        expect((await get("/impact/api/reports", { cookie: session })).status).toBe(200);
        // Only a bearer token writes.
        const written = await put("/impact/api/tuning", {}, { cookie: session });
        expect([written.status, await errorOf(written)]).toEqual([
            403,
            "Only a bearer token may write.",
        ]);
        clock += 43_201;
        expect((await get("/impact", { cookie: session })).status).toBe(401);
    });

    test("behind an encrypting gateway the cookie is only sent encrypted", async () => {
        const answer = await logIn(TOKEN, { "x-forwarded-proto": "https" });
        expect(answer.headers.get("set-cookie")).toMatch(/; Secure$/);
    });

    test("a session that is changed, or signed by another token, is none", async () => {
        const [session = ""] = ((await logIn(TOKEN)).headers.get("set-cookie") ?? "").split(";");
        const [name, expires = "", rest] = session.split(/[=.]/, 3);
        const longer = `${name ?? ""}=${Number(expires) + 1}.${rest ?? ""}${session.slice(session.lastIndexOf("."))}`;
        expect((await get("/impact", { cookie: longer })).status).toBe(401);
        await server.stop();
        server = await start(`${TOKEN}-2`);
        expect((await get("/impact", { cookie: session })).status).toBe(401);
    });

    test("the form of another site is not accepted", async () => {
        const answer = await logIn(TOKEN, { origin: "https://elsewhere.example" });
        expect(answer.status).toBe(403);
        expect((await logIn(TOKEN, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    });

    test("a client with ten wrong tokens waits for a minute, and no other one does", async () => {
        const client = { "x-forwarded-for": "192.0.2.1" };
        for (let at = 0; at < 5; at += 1) {
            expect((await logIn("wrong", client)).status).toBe(401);
            expect(
                (await get("/impact/api/reports", { ...bearer("wrong"), ...client })).status,
            ).toBe(401);
        }
        expect((await logIn(TOKEN, client)).status).toBe(429);
        expect((await get("/impact/api/reports", { ...bearer(), ...client })).status).toBe(429);
        expect((await logIn(TOKEN, { "x-forwarded-for": "192.0.2.2" })).status).toBe(303);
        clock += 61;
        expect((await logIn(TOKEN, client)).status).toBe(303);
    });

    test("logging out removes the cookie", async () => {
        const [session = ""] = ((await logIn(TOKEN)).headers.get("set-cookie") ?? "").split(";");
        const answer = await fetch(url("/impact/logout"), {
            method: "POST",
            headers: { cookie: session },
            redirect: "manual",
        });
        expect([answer.status, answer.headers.get("set-cookie")]).toEqual([
            303,
            "impact-session=; Path=/impact; Max-Age=0; HttpOnly; SameSite=Strict",
        ]);
    });

    test("a short token is rejected", async () => {
        await expect(start("short")).rejects.toThrow(
            "the access token has 5 characters; allowed: 16 or more",
        );
    });
});

describe("answers", () => {
    test("carry an ETag, are compressed, and have no body for HEAD", async () => {
        const plain = await getRaw("/impact/assets/uplot.js");
        const { etag = "" } = plain.headers as { etag?: string };
        const br = await getRaw("/impact/assets/uplot.js", { "accept-encoding": "gzip, br" });
        expect(br.headers["content-encoding"]).toBe("br");
        expect(brotliDecompressSync(br.body)).toEqual(plain.body);
        const gzip = await getRaw("/impact/assets/uplot.js", { "accept-encoding": "br;q=0, gzip" });
        expect(gunzipSync(gzip.body)).toEqual(plain.body);
        expect(br.body.length).toBeLessThan(plain.body.length / 2);
        const again = await getRaw("/impact/assets/uplot.js", { "if-none-match": `"x", ${etag}` });
        expect([again.status, again.body.length]).toEqual([304, 0]);
        const head = await get("/impact", bearer(), { method: "HEAD" });
        expect([head.status, await head.text()]).toEqual([200, ""]);
    });

    test("the page may load scripts and styles of this server only, and nothing inline", async () => {
        const page = await get("/impact");
        const policy = page.headers.get("content-security-policy");
        expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
        expect(policy).not.toContain("unsafe");
        const html = await page.text();
        expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=|https?:/);
    });

    test("every script of the page imports files that the server has", () => {
        const assets = loadAssets();
        const scripts = [...assets].filter(([, { type }]) => type.startsWith("text/javascript"));
        expect(scripts.length).toBeGreaterThan(5);
        for (const [name, { body }] of scripts) {
            for (const [, from = ""] of body
                .toString()
                .matchAll(/^import [^;]*? from "(.*?)";$/gm)) {
                const file = path.posix.join(path.posix.dirname(name), from);
                expect([name, [...assets.keys()]]).toEqual([name, expect.arrayContaining([file])]);
            }
        }
    });

    test.each([
        ["/impact/api/impact?range=2h", 400, 'range is "2h"; allowed: 1h, 6h, 24h, 7d, 30d, 365d'],
        ["/impact/api/impact?range=constructor", 400, 'range is "constructor"'],
        ["/impact/api/reports/2026-11-31", 404, "No such path"],
        ["/impact/api/reports/2026-11-30", 404, "There is no report of 2026-11-30."],
        ["/impact/api/reports/..%2f..%2fpasswd", 404, "No such path"],
        ["/impact/assets/../server/serve.ts", 404, "No such path"],
        ["/impact/assets/..%2fserver/serve.ts", 404, "No such path"],
        ["/impact/api/months/2026-11", 404, "Nothing was measured in 2026-11."],
        ["/impact/api/tuning", 404, "The tuner has not run yet."],
    ])("%s: %d", async (where, status, message) => {
        const answer = await getRaw(where);
        const { error } = JSON.parse(answer.body.toString()) as { error: string };
        expect([answer.status, error]).toEqual([status, expect.stringContaining(message)]);
    });

    test("other methods are named with those that are allowed", async () => {
        const answer = await get("/impact/api/impact", bearer(), { method: "DELETE" });
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    });
});

describe("reports", () => {
    const report = usualReport();

    test("are stored, listed and read in three formats, and survive a restart", async () => {
        expect((await put("/impact/api/reports/2026-11-30", report)).status).toBe(201);
        expect((await put("/impact/api/reports/2026-11-30", report)).status).toBe(200);
        await server.stop();
        server = await start();
        expect(await (await get("/impact/api/reports")).json()).toEqual({
            reports: [
                {
                    day: "2026-11-30",
                    from: report.window.from,
                    to: report.window.to,
                    state: "complete",
                    hitRate: 0.8,
                    netDollars: 6,
                    recommendations: 0,
                },
            ],
        });
        expect(await (await get("/impact/api/reports/2026-11-30")).json()).toEqual(report);
        expect(await (await get("/impact/api/reports/2026-11-30.md")).text()).toContain(
            "# What the",
        );
        const html = await get("/impact/api/reports/2026-11-30.html");
        expect(html.headers.get("content-security-policy")).toContain("default-src 'none'");
        expect(await html.text()).toContain("What the embedding cache earned");
        const files = await readdir(path.join(folder, "reports", "2026-11-30"));
        expect(files.sort()).toEqual(["report.html", "report.json", "report.md"]);
    });

    test("of the latest days are kept", async () => {
        for (const day of ["28", "29", "30"]) {
            const window = {
                ...report.window,
                to: `2026-11-${day}T02:00:00Z`,
                from: `2026-11-${Number(day) - 1}T02:00:00Z`,
            };
            await put(`/impact/api/reports/2026-11-${day}`, { ...report, window });
        }
        const { reports } = (await (await get("/impact/api/reports")).json()) as {
            reports: { day: string }[];
        };
        expect(reports.map(({ day }) => day)).toEqual(["2026-11-30", "2026-11-29"]);
    });

    test("a report without figures does not replace one with figures", async () => {
        await put("/impact/api/reports/2026-11-30", report);
        const unknown = {
            ...report,
            completeness: { ...report.completeness, state: "not measured" },
        };
        expect((await put("/impact/api/reports/2026-11-30", unknown)).status).toBe(409);
        expect(await (await get("/impact/api/reports/2026-11-30")).json()).toEqual(report);
    });

    test.each([
        [{ ...report, schemaVersion: 9 }, `schemaVersion is 9; allowed: ${SCHEMA_VERSION}`],
        [
            { ...report, cost: { ...report.cost, net: "6" } },
            'cost.net is "6"; allowed: a finite number, or null',
        ],
        [{ ...report, window: undefined }, "window.from is missing; allowed: a time in UTC"],
        [
            { ...report, window: { ...report.window, from: report.window.to } },
            "a time before window.to",
        ],
        [{ ...report, tenants: [null] }, "the report cannot be shown"],
        [null, "schema is missing"],
        ["no JSON", "The body is not JSON."],
    ])("a body that is none is rejected: %#", async (body, message) => {
        const answer = await put("/impact/api/reports/2026-11-30", body);
        expect([answer.status, await errorOf(answer)]).toEqual([
            400,
            expect.stringContaining(message),
        ]);
    });

    test("the day of the path must be that of the report", async () => {
        const answer = await put("/impact/api/reports/2026-11-29", report);
        expect([answer.status, await errorOf(answer)]).toEqual([
            400,
            "the path has the day 2026-11-29, and the report's window ends on 2026-11-30",
        ]);
        expect((await put("/impact/api/reports/2026-02-30", report)).status).toBe(404);
        expect((await put("/impact/api/reports/..%2f2026-11-30", report)).status).toBe(404);
    });

    test("a body that is too large, or of another type, is not read", async () => {
        const large = await put("/impact/api/reports/2026-11-30", `"${"x".repeat(8 * 2 ** 20)}"`);
        expect(large.status).toBe(413);
        const text = await put("/impact/api/reports/2026-11-30", report, {
            ...bearer(),
            "content-type": "text/plain",
        });
        expect([text.status, await errorOf(text)]).toEqual([
            415,
            'content-type is "text/plain"; allowed: application/json',
        ]);
    });
});

describe("the tuner's record", () => {
    const decision = {
        id: "2026-11-30/cacheTtlSeconds",
        at: "2026-11-30T09:00:00Z",
        ...{ setting: "cacheTtlSeconds", action: "change", from: 3600, to: 7200 },
        reason: "Refreshes cost more than storage.",
    };
    const record = { schema: "property-search/tuning", schemaVersion: 1, decisions: [decision] };

    test("is replaced only by who knows the latest one, and its decisions are events", async () => {
        expect((await put("/impact/api/tuning", record)).status).toBe(201);
        const answer = await get("/impact/api/tuning");
        expect(await answer.json()).toEqual(record);
        const etag = answer.headers.get("etag") ?? "";
        const next = { ...record, decisions: [decision, { ...decision, action: "keep" }] };
        expect(
            (await put("/impact/api/tuning", next, { ...bearer(), "if-match": etag })).status,
        ).toBe(200);
        expect(
            (await put("/impact/api/tuning", record, { ...bearer(), "if-match": etag })).status,
        ).toBe(412);
        const view = (await (await get("/impact/api/impact?range=6h")).json()) as ImpactView;
        expect(view.events).toEqual([
            {
                at: "2026-11-30T09:00:00Z",
                kind: "tuning",
                text: "cacheTtlSeconds was changed from 3600 to 7200: Refreshes cost more than storage.",
            },
        ]);
        await server.stop();
        server = await start();
        expect(await (await get("/impact/api/tuning")).json()).toEqual(next);
    });

    test.each([
        [{}, 'allowed: "property-search/tuning"'],
        [{ ...record, decisions: {} }, "decisions is not a list"],
        [{ ...record, decisions: [{ at: "soon" }] }, 'decisions[0].at is "soon"'],
    ])("a body that is none is rejected: %#", async (body, message) => {
        const answer = await put("/impact/api/tuning", body);
        expect([answer.status, await errorOf(answer)]).toEqual([
            400,
            expect.stringContaining(message),
        ]);
    });
});

describe("without Prometheus", () => {
    test("the view has no figure, and says why", async () => {
        const view = (await (await get("/impact/api/impact?range=1h")).json()) as ImpactView;
        expect(view).toMatchObject({
            outage: expect.stringContaining("Prometheus at 127.0.0.1:1: "),
            range: { state: "not measured", measuredSeconds: 0 },
            toDate: { state: "not measured", saved: null, net: null },
            runRate: { netPerMonth: null, netPerYear: null },
            money: { saved: null, net: null },
            queries: { total: null, cost: null },
            latency: { mean: null, p95: null },
            traffic: { requests: null, perSecond: null },
        });
        expect(view.series.values.net.every((value) => value === null)).toBe(true);
        expect(view.gaps).toEqual([
            {
                from: "2026-11-30T10:00:00Z",
                to: "2026-11-30T10:37:15Z",
                pod: null,
                reason: expect.stringContaining("Prometheus at 127.0.0.1:1: "),
            },
        ]);
        expect(printed).toEqual([expect.stringContaining("Hours are not read: Prometheus at")]);
    });

    test("savings to date are those of the reports, without the time that two of them share", async () => {
        const of = (from: string, to: string) =>
            usualReport({ window: { from: `2026-11-${from}Z`, to: `2026-11-${to}Z`, hours: 24 } });
        await put("/impact/api/reports/2026-11-29", of("28T02:00:00", "29T02:00:00"));
        await put("/impact/api/reports/2026-11-30", of("29T01:00:00", "30T01:00:00"));
        const view = (await (await get("/impact/api/impact")).json()) as ImpactView;
        expect(view.toDate).toMatchObject({ saved: 8, net: 6, daysFromReports: 1, queries: 1000 });
        expect(view.toDate).toMatchObject({ from: "2026-11-29T01:00:00Z", state: "partial" });
    });

    test("an hour file that is broken is named, and the server starts", async () => {
        await server.stop();
        const { writeFile } = await import("node:fs/promises");
        await writeFile(path.join(folder, "hours", "2026-11-29.json"), "{");
        server = await start();
        expect(printed.join("\n")).toContain("2026-11-29.json is not used");
        expect(await readFile(path.join(folder, "hours", "2026-11-29.json"), "utf8")).toBe("{");
    });
});
