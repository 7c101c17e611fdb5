import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CACHE_RESULTS, METRICS, SAVING_RESULTS } from "@property-search/contract";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startPrometheus } from "../../../operations/test/support/prometheus.ts";
import { setUp } from "../../../tests/support/setUp.ts";
import { quantileOf } from "../../src/analysis/quantile.ts";
import {
    formatCount,
    formatDollars,
    formatMilliseconds,
    formatPercent,
} from "../../src/report/format.ts";
import { RANGES, type ImpactView, type RangeName } from "../../src/impact/view.ts";
import { serve, type RunningServer } from "../../src/server/serve.ts";
import { startBrowser } from "../support/browser.ts";
import {
    BOUND,
    CPU,
    createImpactHistory,
    FEEDBACK,
    INSTALLED,
    MISSES,
    NOW,
    OUTAGE,
    SETTINGS,
} from "../support/impactHistory.ts";
import { BOUNDS, countEvents, STEP_SECONDS } from "../support/simulation.ts";
import { usualReport } from "../support/reports.ts";

const TOKEN = "a-token-of-many-characters";
const HOUR = 3600;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** Folder for screenshots to look at; without it, none are taken. */
const { SCREENSHOTS } = process.env;

const { parts, events } = createImpactHistory();

let server: RunningServer;
let folder: string;
let browser: Browser;

const prometheus = setUp(
    () => startPrometheus(parts),
    (one) => one.stop(),
    300_000,
);

beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "impact-"));
    server = await startServer(prometheus.url, folder, NOW);
    browser = await startBrowser();
    await waitForHours();
    await putReport();
}, 300_000);

afterAll(async () => {
    await browser.close();
    await server.stop();
    await rm(folder, { recursive: true });
});

const startServer = (url: string, where: string, now: number): Promise<RunningServer> =>
    serve({
        ...{ folder: where, keep: 90, port: 0, accessToken: TOKEN },
        prometheus: { url },
        print: () => undefined,
        now: () => now,
    });

const origin = (one = server) => `http://127.0.0.1:${one.port}`;

async function readView(range: RangeName, one = server): Promise<ImpactView> {
    const response = await fetch(`${origin(one)}/impact/api/impact?range=${range}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as ImpactView;
}

/** Until the server has read all hours that Prometheus has. */
async function waitForHours(): Promise<void> {
    for (
        let next = await readView("7d");
        next.range.from !== at(FIRST);
        next = await readView("7d")
    )
        await new Promise((resolve) => setTimeout(resolve, 200));
}

async function putReport(): Promise<void> {
    const window = { from: "2026-11-19T02:00:00Z", to: "2026-11-20T02:00:00Z", hours: 24 };
    await fetch(`${origin()}/impact/api/reports/2026-11-20`, {
        method: "PUT",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify(usualReport({ window })),
    });
}

const at = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
const floor = (seconds: number, step = HOUR) => Math.floor(seconds / step) * step;
/** The latest multiple of 15 s, two seconds before now. */
const TO = floor(NOW - 2, 15);

/** The first scrape. */
const FIRST = events.reduce((first, { seconds }) => Math.min(first, seconds), Infinity);

const count = (from: number, name: string, labels = {}) =>
    countEvents(events, { from, to: TO }, name, labels);

/** A figure by PromQL, which the server does not use: sums of the differences between samples. */
async function askPrometheus(expr: string, seconds = TO): Promise<number> {
    const answer = (await prometheus.ask("/api/v1/query", {
        query: expr,
        time: String(seconds),
    })) as { data: { result: { value: [number, string] }[] } };
    expect(answer.data.result).toHaveLength(1);
    return Number(answer.data.result[0]?.value[1]);
}

/** Growth of counters until the outage, and after it, with those of pods that have ended. */
async function grownByPromQl(metric: string, from: number): Promise<number> {
    const after = OUTAGE.to + STEP_SECONDS;
    const grown = async (begin: number, end: number) => {
        const last = await askPrometheus(`sum(last_over_time(${metric}[${end - begin}s]))`, end);
        const first = await askPrometheus(
            `sum(last_over_time(${metric}[${2 * STEP_SECONDS}s])) or vector(0)`,
            begin,
        );
        return last - first;
    };
    return (await grown(from, OUTAGE.from)) + (await grown(after, TO));
}

describe.each(["24h", "7d"] as const)("figures of the range %s, recomputed", (range) => {
    const from = range === "24h" ? floor(TO - 86_400, 900) : INSTALLED;
    let view: ImpactView;

    beforeAll(async () => {
        view = await readView(range);
    });

    test("counts are those of the events", () => {
        const byResult = Object.fromEntries(
            CACHE_RESULTS.map((result) => [result, count(from, METRICS.lookups, { result })]),
        );
        expect(view.hitRate.byResult).toEqual(byResult);
        const hits = SAVING_RESULTS.reduce((all, result) => all + (byResult[result] ?? 0), 0);
        const total = hits + (byResult.miss ?? 0);
        expect(view.queries.total).toBe(total);
        expect(view.hitRate.total).toBeCloseTo(hits / total, 12);
        expect(view.traffic.requests).toBe(count(from, METRICS.requests));
        expect(view.traffic.serverErrors).toBe(count(from, METRICS.requests, { code: "503" }));
    });

    test("response times are those of the events", () => {
        const successful = (name: string, labels = {}) =>
            ["hit_l1", "miss"].reduce(
                (all, result) => all + count(from, name, { ...labels, result }),
                0,
            );
        const responses = successful(`${METRICS.responseTime}_count`);
        const seconds = successful(`${METRICS.responseTime}_sum`);
        expect(view.latency.responses).toBe(responses);
        expect(view.latency.mean).toBeCloseTo(seconds / responses, 12);
        const buckets = [...BOUNDS, Infinity].map(
            (bound) =>
                [
                    bound,
                    successful(`${METRICS.responseTime}_bucket`, {
                        le: bound === Infinity ? "+Inf" : String(bound),
                    }),
                ] as const,
        );
        expect(view.latency.p95).toBeCloseTo(quantileOf(buckets, 0.95) ?? NaN, 12);
        expect(view.traffic.concurrentMean).toBeCloseTo(seconds / view.range.measuredSeconds, 9);
    });

    test("dollars are those of the events, and of the pods' lifetimes", () => {
        const { money } = view;
        const saved = count(from, METRICS.costSaved);
        const forRequests = count(from, METRICS.costBilled, { purpose: "request" });
        const forCache = count(from, METRICS.costBilled, { purpose: "refresh" });
        expect(money).toMatchObject({
            saved,
            billedForRequests: forRequests,
            billedForCache: forCache,
        });
        const [pods, storage, net] = [money.pods ?? NaN, money.storage ?? NaN, money.net ?? NaN];
        expect(net).toBeCloseTo(saved - forCache - pods - storage, 6);
        const total = view.queries.total ?? NaN;
        expect(view.queries.cost).toBeCloseTo((forRequests + forCache + pods + storage) / total, 9);
        expect(view.queries.costWithoutCache).toBeCloseTo((saved + forRequests) / total, 9);
    });

    test("the cost of pods and storage is that of their samples", async () => {
        // One sample in two minutes. The outage is not measured, neither its time nor its costs.
        const pods =
            (await askPrometheus(
                `sum(sum_over_time(embedding_overhead_dollars_per_hour{kind="pod"}[${TO - from}s]))`,
            )) / 30;
        expect(Math.abs((view.money.pods ?? NaN) / pods - 1)).toBeLessThan(0.01);
        const hours = (TO - Math.max(from, FIRST) - (OUTAGE.to - OUTAGE.from)) / HOUR;
        expect(Math.abs((view.money.storage ?? NaN) / (hours * 0.02) - 1)).toBeLessThan(0.01);
    });

    test("feedback, misses, semantic answers and CPU are those of a query", async () => {
        const grown = (metric: string) => grownByPromQl(metric, from);
        expect(view.feedback).toEqual({
            relevant: await grown('embedding_feedback_total{verdict="relevant"}'),
            irrelevant: await grown('embedding_feedback_total{verdict="irrelevant"}'),
            share: FEEDBACK.relevant / (FEEDBACK.relevant + FEEDBACK.irrelevant),
        });
        for (const reason of Object.keys(MISSES))
            expect(view.hitRate.missReasons?.[reason]).toBe(
                await grown(`embedding_cache_misses_total{reason="${reason}"}`),
            );
        expect(view.semantic).toMatchObject({
            answers: await grown('embedding_semantic_lookups_total{outcome="served"}'),
            audits: await grown('embedding_semantic_lookups_total{outcome="audited"}'),
            errorBound: BOUND.bound,
            errorBudget: BOUND.budget,
            overlap: BOUND.overlap,
            feedback: { relevant: null, irrelevant: null, share: null },
        });
        const cores = (await grown("process_cpu_seconds_total")) / view.range.measuredSeconds;
        expect(view.capacity.cpuCores).toBeCloseTo(cores, 9);
        // For five minutes after a pod, Prometheus still has its limit.
        expect(Math.abs((view.capacity.cpuShare ?? NaN) - CPU.used / CPU.limit)).toBeLessThan(
            0.005,
        );
    });

    test("pods, releases and versions are those that the simulation has", () => {
        const noons = range === "24h" ? 1 : 2;
        expect(view.capacity).toMatchObject({
            podsNow: 2,
            podsAdded: 2 + noons,
            podsRemoved: 2 + noons,
            restarts: 0,
        });
        const served = (version: string, prefix: string) => ({
            version,
            requests: countEvents(
                events.filter(({ pod }) => pod.startsWith(prefix)),
                { from, to: TO },
                METRICS.requests,
            ),
        });
        expect(view.versions).toMatchObject([served("v1.5.0", "green"), served("v1.4.0", "blue")]);
        const release = view.events.find(({ text }) => text === "v1.5.0 (green) begins to serve");
        const first = Math.min(
            ...events
                .filter(
                    ({ pod, name, count: requests }) =>
                        pod.startsWith("green") && name === METRICS.requests && requests > 0,
                )
                .map(({ seconds }) => seconds),
        );
        const step = range === "24h" ? 60 : HOUR;
        expect(Date.parse(release?.at ?? "") / 1000).toBe(Math.ceil(first / step) * step - step);
    });

    test("the outage is a gap, and no number stands for it", () => {
        const { series, range: measured } = view;
        expect(measured.state).toBe("partial");
        const missing = TO - Math.max(from, FIRST) - measured.measuredSeconds;
        expect(Math.abs(missing - (OUTAGE.to - OUTAGE.from))).toBeLessThan(2 * STEP_SECONDS);
        const within = series.from.flatMap((begin, index) =>
            begin >= OUTAGE.from && (series.to[index] ?? 0) <= OUTAGE.to ? [index] : [],
        );
        expect(within.length).toBeGreaterThan(0);
        for (const values of Object.values(series.values))
            for (const index of within) expect(values[index]).toBeNull();
        expect(
            view.gaps.some(
                ({ pod, from: begin, to }) =>
                    pod === null && begin < at(OUTAGE.from + 200) && to > at(OUTAGE.to - 200),
            ),
        ).toBe(true);
    });

    test("each point of the plots is of the events in its time", () => {
        const { series } = view;
        let known = 0;
        for (const [index, begin] of series.from.entries()) {
            const end = series.to[index] ?? NaN;
            const hitRate = series.values.hitRate[index] ?? null;
            // Beside the outage, a point covers a part of its time.
            if (hitRate === null || begin < INSTALLED || (begin < OUTAGE.to && end > OUTAGE.from))
                continue;
            known += 1;
            const one = (name: string, labels = {}) =>
                countEvents(events, { from: begin, to: end }, name, labels);
            const misses = one(METRICS.lookups, { result: "miss" });
            const hits = SAVING_RESULTS.reduce(
                (all, result) => all + one(METRICS.lookups, { result }),
                0,
            );
            expect(hitRate).toBeCloseTo(hits / (hits + misses), 12);
            expect(series.values.saved[index]).toBeCloseTo(one(METRICS.costSaved), 9);
            expect(series.seconds[index]).toBeLessThanOrEqual(end - begin);
            expect(series.values.requestsPerSecond[index]).toBeCloseTo(
                one(METRICS.requests) / (series.seconds[index] ?? NaN),
                9,
            );
        }
        expect(known).toBeGreaterThan(range === "24h" ? 80 : 45);
    });
});

test("savings to date are those since the installation, and the rates those of the latest days", async () => {
    const view = await readView("1h");
    const { toDate, runRate } = view;
    expect(toDate).toMatchObject({
        from: at(FIRST),
        saved: count(INSTALLED, METRICS.costSaved),
        billedForCache: count(INSTALLED, METRICS.costBilled, { purpose: "refresh" }),
        daysFromReports: 0,
        state: "partial",
    });
    // Two whole days before now, from the begin of an hour on.
    const from = floor(TO - 2 * 86_400) + HOUR;
    expect(runRate).toMatchObject({ from: at(from), isProvisional: false });
    const net =
        count(from, METRICS.costSaved) -
        count(from, METRICS.costBilled, { purpose: "refresh" }) -
        (await overheadSince(from));
    expect(runRate.netPerMonth).toBeCloseTo((net / runRate.measuredSeconds) * 30 * 86_400, 6);
    expect(runRate.netPerYear).toBeCloseTo((net / runRate.measuredSeconds) * 365 * 86_400, 6);
});

/** Dollars of pods and storage since the begin of an hour: of all hours, less those of the hours before. */
async function overheadSince(from: number): Promise<number> {
    const { money, series } = await readView("7d");
    return series.from.reduce(
        (all, begin, index) => {
            const cost = series.values.cost[index] ?? null;
            if (cost === null || begin >= from) return all;
            const to = series.to[index] ?? NaN;
            const labels = { purpose: "refresh" };
            return (
                all - cost + countEvents(events, { from: begin, to }, METRICS.costBilled, labels)
            );
        },
        (money.pods ?? NaN) + (money.storage ?? NaN),
    );
}

test("the exports have the figures of the view", async () => {
    const view = await readView("6h");
    const headers = { authorization: `Bearer ${TOKEN}` };
    const json = await fetch(`${origin()}/impact/api/impact.json?range=6h`, { headers });
    expect(json.headers.get("content-disposition")).toBe('attachment; filename="impact-6h.json"');
    expect(await json.json()).toEqual(view);
    const csv = await (
        await fetch(`${origin()}/impact/api/impact.csv?range=6h`, { headers })
    ).text();
    const [head = "", ...lines] = csv.trimEnd().split("\r\n");
    const saved = head.split(",").indexOf("saved_dollars");
    expect(lines.map((line) => line.split(",")[saved])).toEqual(
        view.series.values.saved.map((value) => String(value ?? "")),
    );
    expect(lines[0]).toMatch(new RegExp(`^${at(view.series.from[0] ?? 0)},`));
});

test("the monthly report sums up the month", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const read = (format: string) =>
        fetch(`${origin()}/impact/api/months/2026-11${format}`, { headers });
    const month = (await (await read("")).json()) as Record<string, unknown>;
    const { toDate } = await readView("7d");
    expect(month).toMatchObject({
        hasEnded: false,
        money: { saved: toDate.saved, net: expect.closeTo(toDate.net ?? NaN, 9) },
        queries: toDate.queries,
        requests: count(INSTALLED, METRICS.requests),
    });
    const html = await (await read(".html")).text();
    expect(html).toContain("What the embedding cache earned in November 2026");
    expect(html).toContain(formatDollars(toDate.net));
    expect(await (await read(".md")).text()).toContain("## Days");
    expect((await read(".pdf")).status).toBe(404);
});

test("hours are stored: a server without Prometheus still knows what was saved", async () => {
    const again = await startServer("http://127.0.0.1:1", folder, NOW);
    try {
        const [known, all] = [(await readView("7d", again)).toDate, (await readView("7d")).toDate];
        expect(known.from).toBe(all.from);
        const before = floor(NOW - 600);
        expect(known.saved).toBe(
            countEvents(events, { from: INSTALLED, to: before }, METRICS.costSaved),
        );
        expect(known.state).toBe("partial");
    } finally {
        await again.stop();
    }
});

interface OpenPage {
    readonly page: Page;
    readonly context: BrowserContext;
    readonly problems: string[];
}

async function open(
    width: number,
    scheme: "light" | "dark",
    { to = server, range }: { to?: RunningServer; range?: RangeName } = {},
): Promise<OpenPage> {
    const context = await browser.newContext({
        viewport: { width, height: width < 600 ? 844 : 1000 },
        colorScheme: scheme,
        timezoneId: "UTC",
        locale: "en-GB",
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
        // The page answers 401 with the login form.
        const isLogin = message.location().url.endsWith("/impact");
        if (["error", "warning"].includes(message.type()) && !isLogin)
            problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
        if (!request.url().startsWith(origin(to)) && !request.url().startsWith("data:"))
            problems.push(`asks for ${request.url()}`);
    });
    await page.goto(`${origin(to)}/impact`);
    await page.getByLabel("Access token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    if (range !== undefined) {
        await page.locator(`input[value="${range}"]`).check();
        await page.getByRole("heading", { name: `In the ${RANGES[range].words}` }).waitFor();
    }
    return { page, context, problems };
}

/** Pixels by which the page is wider than its window. */
const OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

async function checkAccessibility(page: Page): Promise<void> {
    await page.evaluate(await readFile(AXE, "utf8"));
    const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
            axe: {
                run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
            };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => [
            id,
            nodes.map(({ html }) => html),
        ]);
    });
    expect(violations).toEqual([]);
}

async function take(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS === undefined || SCREENSHOTS === "") return;
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

describe("in a browser", () => {
    test.each([
        [390, "light"],
        [1280, "light"],
        [1280, "dark"],
        [1920, "dark"],
    ] as const)(
        "%d pixels, %s: accessible, within its width, no error and no foreign request",
        async (width, scheme) => {
            const { page, context, problems } = await open(width, scheme, { range: "24h" });
            await checkAccessibility(page);
            expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
            await take(page, `impact-${width}-${scheme}`);
            expect(problems).toEqual([]);
            await context.close();
        },
    );

    test("tuned settings show what is in force, the default, when and why, and the latest decisions", async () => {
        const decision = {
            ...{ id: "1", at: "2026-11-19T02:00:12Z", day: "2026-11-19", action: "change" },
            ...{ setting: "cacheTtlSeconds", from: SETTINGS.configuredTtl, to: SETTINGS.tunedTtl },
            ...{ reason: "5 d instead of 7 d saves $0.40 a day", status: "confirmed" },
            ...{ prediction: null, measured: null, outcome: "gained $0.38 ± $0.05 a day" },
        };
        const kept = { ...decision, id: "2", at: "2026-11-20T02:00:09Z", action: "keep", to: null };
        const record = {
            ...{ schema: "property-search/tuning", schemaVersion: 1 },
            decisions: [decision, { ...kept, status: "none", reason: "no other saves 1 %" }],
        };
        const stored = await fetch(`${origin()}/impact/api/tuning`, {
            method: "PUT",
            headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
            body: JSON.stringify(record),
        });
        expect(stored.status).toBe(201);
        const { page, context } = await open(1280, "light", { range: "6h" });
        const rows = async (caption: string) =>
            (await page.getByRole("table", { name: caption }).locator("tbody tr").allInnerTexts())
                .map((row) => row.split(/\t/))
                .sort();
        expect(await rows("In force now")).toEqual([
            [
                "Entries in the memory of a pod",
                "2,000 (default)",
                "2,000",
                "",
                "The default is in force",
            ],
            [
                ...["Lifetime of entries", "5 days (tuned)", "7 days", "19 Nov, 02:00"],
                "5 d instead of 7 d saves $0.40 a day. Before: 7 days. Confirmed: gained $0.38 ± $0.05 a day",
            ],
        ]);
        expect(await rows("Latest decisions of the tuner")).toEqual([
            ["Lifetime of entries", "20 Nov, 02:00", "keep", "No other saves 1 %"],
        ]);
        const reasons = await rows(
            "Why queries were not in the cache (estimated from a sample; 16.7 % of them not classified)",
        );
        expect(reasons.map(([name, , share]) => [name, share])).toEqual([
            ["Its entry had expired", "33.3 %"],
            ["Never requested before", "50.0 %"],
            ["Not classified: its history is not known", "16.7 %"],
        ]);
        await context.close();
    });

    test("each figure is that of the API", async () => {
        const { page, context } = await open(1280, "light", { range: "24h" });
        const view = await readView("24h");
        const card = async (title: string) =>
            (await page
                .locator(".card", { has: page.getByText(title, { exact: true }) })
                .locator(".value")
                .first()
                .textContent()) ?? "";
        const expected: Record<string, string> = {
            "Net savings to date": formatDollars(view.toDate.net),
            "Net savings per month": formatDollars(view.runRate.netPerMonth),
            "Net savings per year": formatDollars(view.runRate.netPerYear),
            "Cost per query": formatDollars(view.queries.cost),
            Saved: formatDollars(view.money.saved),
            "Net savings": formatDollars(view.money.net),
            "Paid for misses": formatDollars(view.money.billedForRequests),
            "Hit rate": formatPercent(view.hitRate.total),
            Queries: formatCount(view.queries.total),
            "Mean response time": formatMilliseconds(view.latency.mean),
            "p95 response time": formatMilliseconds(view.latency.p95),
            Satisfaction: "90.0 %",
            "Satisfaction with semantic answers": "not measured",
            "Relevance of semantic answers": "93.0 %",
            "Wrong semantic answers": "at most 1.3 %",
            "CPU in use": formatPercent(view.capacity.cpuShare),
        };
        const shown = Object.fromEntries(
            await Promise.all(
                Object.keys(expected).map(async (title) => [title, await card(title)]),
            ),
        ) as Record<string, string>;
        expect(shown).toEqual(expected);
        await context.close();
    });

    test("plots are read by the keyboard and as tables, with gaps as such", async () => {
        const { page, context } = await open(1280, "light", { range: "24h" });
        const view = await readView("24h");
        const plot = page.locator(".plot", {
            has: page.getByRole("heading", { name: "Saved, and the cost of running" }),
        });
        const canvas = plot.getByRole("slider");
        await canvas.focus();
        await page.keyboard.press("Home");
        const perHour = view.series.values.saved.map((value, index) =>
            value === null ? null : (value * HOUR) / (view.series.seconds[index] ?? NaN),
        );
        const [first] = perHour;
        expect(await canvas.getAttribute("aria-valuetext")).toContain(
            `Saved ${formatDollars(first ?? null)}`,
        );
        expect(await plot.locator(".legend").textContent()).toContain(formatDollars(first ?? null));
        const gap = view.series.values.saved.indexOf(null);
        await page.keyboard.press("Home");
        for (let index = 0; index < gap; index += 1) await page.keyboard.press("ArrowRight");
        expect(await canvas.getAttribute("aria-valuetext")).toContain("Saved no data");
        await plot.getByText("Show as a table").click();
        const cells = await plot.locator("tbody tr td:nth-child(2)").allTextContents();
        expect(cells).toEqual(
            perHour.map((value) => (value === null ? "no data" : formatDollars(value))),
        );
        await context.close();
    });

    test("the range, the pause and the login work by the keyboard", async () => {
        const { page, context } = await open(1280, "light", { range: "24h" });
        await page.locator('input[value="24h"]').focus();
        await page.keyboard.press("ArrowRight");
        await page.getByRole("heading", { name: "In the last 7 days" }).waitFor();
        expect(await page.locator("#csv").getAttribute("href")).toContain("range=7d");
        await page.getByRole("button", { name: "Pause updates" }).press("Enter");
        await page.getByText("Paused", { exact: true }).waitFor();
        await page.getByRole("button", { name: "Log out" }).press("Enter");
        await page.getByLabel("Access token").waitFor();
        await checkAccessibility(page);
        await page.getByLabel("Access token").fill("a wrong token");
        await page.keyboard.press("Enter");
        expect(await page.getByRole("alert").textContent()).toBe("This is not the access token.");
        await checkAccessibility(page);
        await take(page, "login");
        await context.close();
    });

    test.each([390, 1280, 1920])("reports are readable at %d pixels", async (width) => {
        const { page, context } = await open(width, width === 1920 ? "dark" : "light");
        for (const [name, where] of [
            ["day", "reports/2026-11-20.html"],
            ["month", "months/2026-11.html"],
        ] as const) {
            await page.goto(`${origin()}/impact/api/${where}`);
            await checkAccessibility(page);
            expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
            await take(page, `${name}-${width}`);
        }
        await context.close();
    });
});

describe("a minute after the installation", () => {
    let early: RunningServer;
    let where: string;
    const now = INSTALLED + 240;

    beforeAll(async () => {
        where = await mkdtemp(path.join(tmpdir(), "impact-"));
        early = await startServer(prometheus.url, where, now);
    });

    afterAll(async () => {
        await early.stop();
        await rm(where, { recursive: true });
    });

    test("there are figures, with the length of the time that they rest on", async () => {
        const { page, context, problems } = await open(1280, "light", { to: early });
        await page.getByRole("heading", { name: "In the last hour" }).waitFor();
        const view = await readView("1h", early);
        expect(view.runRate).toMatchObject({ isProvisional: true, state: "complete" });
        expect(view.toDate.saved).toBe(
            countEvents(events, { from: INSTALLED, to: floor(now - 2, 15) }, METRICS.costSaved),
        );
        const month = page.locator(".card", { has: page.getByText("Net savings per month") });
        expect(await month.locator(".note").textContent()).toMatch(
            /Provisional:.*(min|s) .*measured/,
        );
        await checkAccessibility(page);
        await take(page, "first-minute");
        expect(problems).toEqual([]);
        await context.close();
    });
});

test("without any data the page says so", async () => {
    const where = await mkdtemp(path.join(tmpdir(), "impact-"));
    const empty = await startServer(prometheus.url, where, INSTALLED - 50 * HOUR);
    try {
        const { page, context, problems } = await open(390, "dark", { to: empty });
        await page.getByText("No data yet.").waitFor();
        expect(await page.locator(".card, .plot").filter({ visible: true }).count()).toBe(0);
        expect(await page.getByRole("heading", { name: "What is not known" }).isVisible()).toBe(
            true,
        );
        await checkAccessibility(page);
        await take(page, "empty");
        expect(problems).toEqual([]);
        await context.close();
    } finally {
        await empty.stop();
        await rm(where, { recursive: true });
    }
});
