import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { replay, type Measurement } from "../../load/generator.ts";
import { writeTrace, type TraceEntry } from "../../load/traffic/trace.ts";

const folder = mkdtempSync(path.join(tmpdir(), "load-test-"));
let server: Server;
let target: string;
/** Number of the request at which the server stands still for a while. */
let stallAt = Infinity;
const STALL_MILLISECONDS = 700;
/** Answers are held back until then (performance.now()). */
let stalledUntil = 0;
let received = 0;
/** Requests that the server held back. */
let held = 0;
let lastHeaders: IncomingHttpHeaders = {};

beforeAll(async () => {
    server = createServer((request, response) => {
        received += 1;
        lastHeaders = request.headers;
        if (received === stallAt) stalledUntil = performance.now() + STALL_MILLISECONDS;
        const { url = "" } = request;
        request.resume();
        const answer = () => {
            if (url === "/fail") response.writeHead(503).end();
            else if (url === "/cut") {
                response.writeHead(200, { "content-length": 100 }).write("half");
                setTimeout(() => response.destroy(), 5);
            } else {
                const cache = url === "/miss" ? "HIT-L1, MISS" : "HIT-L2";
                response.writeHead(200, { "x-cache": cache, "x-served-by": "blue" }).end("{}");
            }
        };
        const wait = stalledUntil - performance.now();
        if (wait > 0) {
            held += 1;
            // A millisecond more, since timers end up to one early: otherwise its user's next request is held back too.
            setTimeout(answer, Math.ceil(wait) + 1);
        } else answer();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
});

async function send(
    entries: Iterable<TraceEntry>,
    onSecond: (second: number) => void = () => undefined,
    signal = new AbortController().signal,
): Promise<Measurement> {
    const traceFile = path.join(folder, "trace.ndjson");
    await writeTrace(traceFile, entries);
    return replay({
        ...{ target, headers: { "x-test": "a secret" }, traceFile, signal },
        onSecond: ({ second }) => onSecond(second),
    });
}

function* evenly(count: number, everyMilliseconds: number, users: number): Generator<TraceEntry> {
    for (let at = 0; at < count; at += 1)
        yield { at: at * everyMilliseconds, user: at % users, route: "embed", path: "/embed" };
}

/** Arguments of all processes that read the trace, as every user of the machine may read them. */
function readArguments(): string[] {
    const read = (file: string): string => {
        try {
            return readFileSync(file, "utf8");
        } catch {
            // The process has ended.
            return "";
        }
    };
    return globSync("/proc/[0-9]*/cmdline")
        .map(read)
        .filter((words) => words.includes(folder));
}

describe("the load generator", () => {
    test("sends the headers, which its arguments do not show", async () => {
        const seen: string[] = [];
        await send(evenly(12, 100, 1), () => seen.push(...readArguments()));
        expect(lastHeaders["x-test"]).toBe("a secret");
        expect(seen.join()).toContain("-trace");
        expect(seen.join()).not.toContain("secret");
    });

    test("shows a stall in all requests that were due in it", async () => {
        [received, held, stallAt] = [0, 0, 60];
        const { summary } = await send(evenly(200, 10, 10));
        stallAt = Infinity;
        const { latency, service, answered, failed } = summary.routes.embed ?? fail();
        expect({ answered, failed }).toEqual({ answered: 200, failed: 0 });
        // 70 of 200 requests were due while the server stood still: their waits are spread over its 700 ms.
        expect(latency.p90).toBeGreaterThan(400);
        expect(latency.max).toBeGreaterThan(600);
        // A closed loop sees no more than the one request of each of the 10 users, 5 % of all.
        expect(held).toBeLessThanOrEqual(10);
        expect(service.p50).toBeLessThan(latency.p90);
        // The delay of busy users is not the generator's.
        expect(summary.lag.p90).toBeLessThan(latency.p90);
    });

    test("counts the users that are connected at the same time, not those of the trace", async () => {
        const of = (user: number, at: number) => ({ at, user, route: "embed", path: "/embed" });
        // Two users at a time, one after another; each is connected between its two requests.
        const entries = [0, 1, 2, 3, 4, 5].flatMap((user) => {
            const begin = (user >> 1) * 2_000;
            return [of(user, begin), of(user, begin + 100)];
        });
        const { summary } = await send(entries);
        expect(summary.sent).toBe(12);
        expect(summary.peakUsers).toBe(2);
        expect(summary.peakOpen).toBeLessThanOrEqual(2);
    });

    test("counts failures by reason, statuses of the cache, and colours", async () => {
        const paths = ["/fail", "/cut", "/miss", "/embed", "/embed"];
        const { summary } = await send(
            paths.map((one, at) => ({
                at: at * 20,
                user: 0,
                route: "embed",
                path: one,
                body: "{}",
            })),
        );
        expect(summary.routes.embed).toMatchObject({
            answered: 3,
            failed: 2,
            failures: { "status 503": 1, "answer cut off: connection closed": 1 },
            cache: { "HIT-L1": 1, "HIT-L2": 2, MISS: 1 },
            hits: 2,
            servedBy: { blue: 3 },
        });
    });

    test("sends a closed loop as fast as it is answered, by as many users as it has", async () => {
        received = 0;
        const entries = Array.from({ length: 300 }, (_, at) => ({
            ...{ user: at % 3, route: "embed", path: "/embed" },
        }));
        const { summary, seconds } = await send(entries);
        expect([received, summary.sent, summary.routes.embed?.answered]).toEqual([300, 300, 300]);
        expect(seconds.reduce((all, { sent }) => all + sent, 0)).toBe(300);
    });

    test("keeps what it has measured when it is interrupted", async () => {
        const interrupted = new AbortController();
        const measured = send(evenly(1000, 10, 10), () => interrupted.abort(), interrupted.signal);
        const { summary } = await measured;
        expect(summary.interrupted).toBe(true);
        expect(summary.sent).toBeGreaterThan(0);
        expect(summary.sent).toBeLessThan(1000);
        expect(summary.routes.embed?.answered).toBe(summary.sent);
    });

    test("says what is wrong with a trace", async () => {
        await expect(send([])).rejects.toThrow("the trace has no requests");
    });
});

function fail(): never {
    throw new Error("no answers");
}
