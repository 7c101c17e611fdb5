import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { METRICS } from "@property-search/contract";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import path from "node:path";
import { seededRandom } from "../../bench/shared/random.ts";
import { splitByBlock, startPrometheus } from "../../operations/test/support/prometheus.ts";
import { setUp } from "../../tests/support/setUp.ts";
import type { Report } from "../src/analysis/report.ts";
import { serve } from "../src/server/serve.ts";
import { countEvents, simulate } from "./support/simulation.ts";

const MAIN = path.resolve(import.meta.dirname, "../src/main.ts");
const TO = Date.parse("2026-11-20T02:00:00Z") / 1000;
const FROM = TO - 2 * 3600;
const TOKEN = "token-of-prometheus";

const { lines, events } = simulate(seededRandom(5), [
    { pod: "a", colour: "blue", version: "v1.0.0", startedAt: FROM - 3600, endsAt: TO + 600 },
]);

let proxy: Server;
let folder: string;
/** What the proxy answers instead of Prometheus; undefined: it forwards. */
let instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;

const prometheus = setUp(
    () => startPrometheus(splitByBlock(lines)),
    (one) => one.stop(),
);

/** As a managed Prometheus has: a path prefix and a token. The admin port is below /admin. */
beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "insights-"));
    instead = undefined;
    proxy = createServer((request, response) => {
        void (async () => {
            const { url = "", headers } = request;
            if (instead?.(request, response)) return;
            if (headers.authorization !== `Bearer ${TOKEN}`) {
                response.writeHead(401).end("no");
            } else if (url.startsWith("/admin/")) {
                response.end(JSON.stringify([{ key: "KEY", tenant: "search", requests: 9 }]));
            } else {
                const answer = await fetch(prometheus.url + url.replace(/^\/prefix/, ""));
                response.writeHead(answer.status).end(await answer.text());
            }
        })();
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    await writeFile(path.join(folder, "token"), `${TOKEN}\n`);
});

afterEach(async () => {
    proxy.close();
    proxy.closeAllConnections();
    await rm(folder, { recursive: true });
});

const origin = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

function run(
    ...flags: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
    const args = [
        ...[MAIN, "analyse", "--prometheus", `${origin()}/prefix/`],
        ...["--token-file", path.join(folder, "token"), "--out", path.join(folder, "reports")],
        ...["--hours", "2", "--end", "2026-11-20T02:00:00Z", ...flags],
    ];
    return new Promise((resolve) => {
        execFile(process.execPath, args, (error, stdout, stderr) => {
            resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        });
    });
}

const readReport = async () =>
    JSON.parse(
        await readFile(path.join(folder, "reports/2026-11-20/report.json"), "utf8"),
    ) as Report;

test("the command writes a report by a Prometheus behind a prefix and a token", async () => {
    const { code, stdout } = await run(
        ...["--admin", origin(), "--admin-token-file", path.join(folder, "token")],
    );
    expect({ code, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("Figures: complete; gaps: 0"),
    });
    const report = await readReport();
    expect(report.lookups.byTier.MISS).toBe(
        countEvents(events, { from: FROM, to: TO }, METRICS.lookups, { result: "miss" }),
    );
    expect(report.hotKeys).toEqual([{ key: "KEY", tenant: "search", requests: 9 }]);
    const html = await readFile(path.join(folder, "reports/2026-11-20/report.html"), "utf8");
    expect(html).toContain("What the embedding cache earned");
});

test("an outage is a report of a gap, and a failure of the command", async () => {
    instead = (_, response) => {
        response.writeHead(503).end("{}");
        return true;
    };
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([1, expect.stringContaining("status 503")]);
    const report = await readReport();
    expect(report.completeness).toMatchObject({
        state: "not measured",
        gaps: [{ from: "2026-11-20T00:00:00Z", to: "2026-11-20T02:00:00Z", losesCounts: true }],
    });
    expect(report.lookups.total).toBeNull();
});

test("an outage does not replace the day's figures", async () => {
    await run();
    const before = await readReport();
    instead = (_, response) => {
        response.destroy();
        return true;
    };
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([1, expect.stringContaining("2026-11-20 is kept")]);
    expect(await readReport()).toEqual(before);
});

test("a query that is rejected leaves only its figures unmeasured", async () => {
    instead = ({ url = "" }, response) => {
        if (!url.includes("redis_memory")) return false;
        response.writeHead(422).end('{"status":"error","error":"too many samples"}');
        return true;
    };
    expect((await run()).code).toBe(0);
    const report = await readReport();
    expect(report.completeness.state).toBe("complete");
    expect(report.redis).toBeNull();
    expect(report.notMeasured).toContainEqual({
        figure: "Redis memory and evictions",
        reason: expect.stringContaining("too many samples"),
    });
});

test("the report is posted to Slack, and its failure is one of the command", async () => {
    const posts: string[] = [];
    instead = ({ url = "" }, response) => {
        if (!url.startsWith("/services/")) return false;
        posts.push(url);
        response.writeHead(posts.length === 1 ? 404 : 200).end("no_service");
        return true;
    };
    const webhook = path.join(folder, "webhook");
    await writeFile(webhook, `${origin()}/services/secret\n`);
    const { code, stdout, stderr } = await run("--slack-webhook-file", webhook);
    expect([code, stderr]).toEqual([1, expect.stringContaining("status 404 no_service")]);
    expect(stdout + stderr).not.toContain("secret");
    // What Slack did not accept is posted by the next run; what it accepted is not posted again.
    for (let runs = 0; runs < 2; runs += 1)
        expect((await run("--slack-webhook-file", webhook)).code).toBe(0);
    expect(posts).toHaveLength(2);
});

test.each(["folder", "page"])(
    "runs of a day post an outage once, and the figures once: remembered in the %s",
    async (where) => {
        const posts: string[] = [];
        let isDown = true;
        const page = await serve({
            prometheus: { url: prometheus.url },
            folder: path.join(folder, "page"),
            port: 0,
            keep: 30,
            accessToken: TOKEN,
            print: () => undefined,
        });
        instead = (request, response) => {
            const { url = "" } = request;
            if (url.startsWith("/services/")) {
                void text(request).then((body) => {
                    posts.push(body);
                    response.end("ok");
                });
                return true;
            }
            if (isDown) response.writeHead(503).end("{}");
            return isDown;
        };
        const webhook = path.join(folder, "webhook");
        await writeFile(webhook, `${origin()}/services/secret\n`);
        // As each pod of a Job, a run has an empty folder of its own, and shares the page.
        const runOnce = (at: number) =>
            run(
                ...["--slack-webhook-file", webhook],
                ...(where === "page"
                    ? [
                          ...["--publish", `http://127.0.0.1:${page.port}`],
                          ...["--publish-token-file", path.join(folder, "token")],
                          ...["--out", path.join(folder, `reports-${at}`)],
                      ]
                    : []),
            );
        const codes: number[] = [];
        for (const at of [0, 1, 2, 3]) {
            isDown = at < 2;
            codes.push((await runOnce(at)).code);
        }
        await page.stop();
        expect(codes).toEqual([1, 1, 0, 0]);
        expect(posts).toHaveLength(2);
        expect(posts[0]).not.toContain("Net savings");
        expect(posts[1]).toContain("Net savings");
    },
);

test("the report is published at the page, and its failure is one of the command", async () => {
    const bodies: string[] = [];
    instead = (request, response) => {
        const { url = "", headers, method } = request;
        if (!url.startsWith("/impact/")) return false;
        void text(request).then((body) => {
            bodies.push(body);
            const isKnown = headers.authorization === `Bearer ${TOKEN}`;
            response.writeHead(bodies.length === 1 && isKnown && method === "PUT" ? 201 : 400);
            response.end('{"error":"the day is in the future"}');
        });
        return true;
    };
    const flags = ["--publish", origin(), "--publish-token-file", path.join(folder, "token")];
    expect(await run(...flags)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`Published at ${origin()}`),
    });
    expect(JSON.parse(bodies[0] ?? "")).toEqual(await readReport());
    const { code, stderr } = await run(...flags);
    expect([code, stderr]).toEqual([
        1,
        expect.stringContaining("reports/2026-11-20: status 400, the day is in the future"),
    ]);
});

test("hot keys are those of the busiest pod, whichever does not answer", async () => {
    const quiet = createServer((_, response) => {
        response.end(JSON.stringify([{ key: "OTHER", tenant: "search", requests: 1 }]));
    }).listen(0, "127.0.0.1");
    await once(quiet, "listening");
    const { port } = quiet.address() as AddressInfo;
    const pods = [`http://127.0.0.1:${port}`, origin(), "http://127.0.0.1:1"];
    const { code } = await run(
        ...pods.flatMap((pod) => ["--admin", pod]),
        ...["--admin-token-file", path.join(folder, "token")],
    );
    quiet.close();
    quiet.closeAllConnections();
    expect(code).toBe(0);
    expect((await readReport()).hotKeys).toEqual([{ key: "KEY", tenant: "search", requests: 9 }]);
});

test.each([
    [["--hours", "0"], '--hours is "0"; allowed: 1 to 168'],
    [["--end", "tomorrow"], '--end is "tomorrow"; allowed: a time of the past'],
    [["--prometheus", "prometheus:9090"], "--prometheus is not a URL"],
    [["--admin", "http://localhost"], "--admin needs --admin-token-file"],
    [["--publish", "http://localhost"], "--publish needs --publish-token-file"],
    [["--token-file", "/does/not/exist"], "/does/not/exist does not exist"],
])("%j is rejected in a sentence", async (flags, message) => {
    const { code, stderr } = await run(...flags);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
});
