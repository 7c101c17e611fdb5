import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { HEADERS } from "@property-search/contract";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../app/test/support/eventually.ts";
import { readJournal, removeJournal, writeJournal, type Journal } from "../../rehearse/journal.ts";
import { requireMake, runMake } from "../../rehearse/make.ts";
import { startTraffic } from "../../rehearse/traffic.ts";
import { listen } from "../support/listen.ts";

describe("background traffic", () => {
    let server: Server;
    let status = 200;
    let cache = "HIT-L1";

    beforeEach(() => {
        [status, cache] = [200, "HIT-L1"];
        server = createServer((request, response) => {
            request.resume();
            const headers = { [HEADERS.servedBy]: "green", [HEADERS.cache]: cache };
            response.writeHead(status, headers).end(JSON.stringify({ embeddings: [[1, 0]] }));
        });
    });
    afterEach(() => {
        server.close();
    });

    test("counts failures by reason, and hits among known texts before and after a fault", async () => {
        const { url } = await listen(server);
        const client = { url, apiKey: undefined };
        const options = { client, perSecond: 100, maxSeconds: 300, run: "one" };
        const traffic = await startTraffic(options);
        const answers = (since: number) => traffic.answeredBy("green", since);
        await eventually("requests are answered", () => answers(0) > 10);
        const fault = Date.now();
        status = 503;
        await eventually("requests fail", () => traffic.failed() > 10);
        status = 200;
        cache = "MISS";
        const repaired = Date.now();
        await eventually("they are answered again", () => answers(repaired) > 10);
        const lastFailure = traffic.lastFailure();
        await eventually("more are answered", () => answers(repaired) > 20);
        await traffic.stop();

        const record = traffic.record(fault);
        expect(record.sent).toBeGreaterThan(40);
        expect(record.failed).toBeGreaterThan(10);
        expect(record.failures).toEqual({ "status 503": record.failed });
        expect(record.hitRateBefore).toBe(1);
        expect(record.hitRateAfter).toBeLessThan(1);
        expect(traffic.hitRate(repaired)).toBe(0);
        expect(traffic.firstFailure(fault)).toBeGreaterThanOrEqual(fault);
        expect(lastFailure).toBeGreaterThanOrEqual(fault);
        expect(traffic.lastFailure()).toBe(lastFailure);
        expect(traffic.answeredBy("blue", 0)).toBe(0);
    });

    test("says how connections fail, and ends", async () => {
        const { url } = await listen(server);
        const client = { url, apiKey: undefined };
        const options = { client, perSecond: 50, maxSeconds: 2, run: "two" };
        const traffic = await startTraffic(options);
        server.close();
        server.closeAllConnections();
        const readFailures = () => Object.keys(traffic.record(undefined).failures);
        await eventually("they fail", () => readFailures().includes("ECONNREFUSED"));
        await delay(options.maxSeconds * 1000);
        const { sent } = traffic.record(undefined);
        await delay(200);
        expect(traffic.record(undefined).sent).toBe(sent);
    });
});

describe("commands of a rehearsal", () => {
    test("return their output, or an error with its last lines", async () => {
        expect(await requireMake(["help"])).toContain("make rehearse");
        await expect(requireMake(["switch", "TO=red"])).rejects.toThrow(
            /make switch TO=red failed[^]*red/,
        );
    });

    test("are interrupted with the rehearsal", async () => {
        const ended = new AbortController();
        const lines: string[] = [];
        const sleeping = runMake(["--eval", "sleepy: ; @echo begun; sleep 60", "sleepy"], {
            signal: ended.signal,
            onLine: (line) => {
                lines.push(line);
                ended.abort();
            },
        });
        const { exitCode } = await sleeping;
        expect(lines[0]).toBe("begun");
        expect(exitCode).not.toBe(0);
    });
});

describe("the journal", () => {
    let folder: string;
    beforeEach(async () => {
        folder = await mkdtemp(path.join(tmpdir(), "journal-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    test("survives its process, until everything is put back", async () => {
        const file = path.join(folder, "running", "one.json");
        expect(await readJournal(file)).toBeUndefined();
        const journal: Journal = {
            ...{ rehearsal: "redis-loss", startedAt: "2026-12-01T08:00:00.000Z" },
            saved: { replicas: 1 },
        };
        await writeJournal(file, journal);
        expect(await readJournal(file)).toEqual(journal);
        await removeJournal(file);
        expect(await readJournal(file)).toBeUndefined();
    });
});
