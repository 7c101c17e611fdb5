import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { LoadReport } from "../../load/run.ts";
import { ours } from "../../service/peers/service/service.ts";
import { createProcesses } from "../../service/processes/processes.ts";
import { startUpstream } from "../../service/upstream/start.ts";
import { runToEnd } from "../../shared/runToEnd.ts";

const MAIN = path.resolve(import.meta.dirname, "../../load/main.ts");
const folder = mkdtempSync(path.join(tmpdir(), "load-main-"));
const processes = createProcesses();
let url: string;

/** The real service; only the model that costs money is a stub. */
beforeAll(async () => {
    const upstream = await startUpstream(processes, { core: 0 });
    const redis = new URL("redis://127.0.0.1:9");
    const service = await ours.start({ processes, core: 0, redis, upstream: upstream.url });
    url = service.url.origin;
});

afterAll(() => {
    processes.killAll();
    rmSync(folder, { recursive: true });
});

function load(...args: string[]) {
    // Jest's own Node settings are not the user's.
    const env = { ...process.env, NODE_OPTIONS: "" };
    return runToEnd(process.execPath, [MAIN, ...args, "--out", folder], { env });
}

describe("make load against the service", () => {
    test("runs a scenario, and leaves its result and a page that needs nothing else", async () => {
        const { status, stdout } = await load(
            ...["--scenario", "s2", "--services", "embed", "--rate", "500", "--url", url],
        );
        expect(`${status}: ${stdout}`).toMatch(/^[013]: /);
        expect(stdout).toContain("embed, closed loop: 1,000 requests to /embed by 10 at a time");
        const report = JSON.parse(
            readFileSync(path.join(folder, "result.json"), "utf8"),
        ) as LoadReport;
        expect(status).toBe({ met: 0, "not met": 1, inconclusive: 3 }[report.verdict]);
        const [closed] = report.phases;
        expect(closed?.summary.routes.embed).toMatchObject({ answered: 1000, failed: 0 });
        // 100 texts, each a miss once.
        expect(closed?.summary.routes.embed?.cache.MISS).toBeLessThanOrEqual(100);
        const page = readFileSync(path.join(folder, "report.html"), "utf8");
        expect(page.match(/<svg/g)).toHaveLength(8);
        expect(page).not.toMatch(/(src|href)="http/);
    });

    test("rejects a folder that cannot be written and half a user before any load", async () => {
        const s2 = ["--scenario", "s2", "--services", "embed", "--url", url];
        const half = await load(...s2, "--users", "1.5");
        expect(half.stderr).toContain("a whole number from 1 to 20000");
        const env = { ...process.env, NODE_OPTIONS: "" };
        const args = [MAIN, ...s2, "--out", "/dev/null/x"];
        const unwritable = await runToEnd(process.execPath, args, { env });
        expect(unwritable.stderr).toContain(
            'OUT is "/dev/null/x"; allowed: a folder that can be written',
        );
        expect(unwritable.stderr).not.toContain("embed, closed loop");
    });

    test("replays a recorded trace, and a request that fails is not met", async () => {
        const trace = path.join(folder, "trace.ndjson");
        const body = JSON.stringify({ text: "Two rooms" });
        const lines = [
            { at: 0, path: "/embed", body },
            { at: 20, path: "/embed", body: "{" },
        ];
        writeFileSync(trace, lines.map((line) => JSON.stringify(line)).join("\n"));
        const { status, stdout } = await load("--trace", trace, "--url", url);
        expect(stdout).toContain("/embed: 1 × status 400");
        expect([1, 3]).toContain(status);
    });

    test.each([
        [["--scenario", "flood"], 'SCENARIO is "flood"; allowed: s2, users, soak, spike, stress'],
        [
            ["--scenario", "s2", "--services", "mail"],
            'SERVICES is "mail"; allowed: some of embed,pois,chat',
        ],
        [
            ["--scenario", "s2", "--minutes", "5"],
            'MINUTES is "5"; allowed: not set, since s2 does not use it',
        ],
        [
            ["--scenario", "s2", "--url", "http://example.com"],
            'URL is "http://example.com"; allowed: http://127.0.0.1:port',
        ],
    ])("%j is rejected", async (args, message) => {
        const { status, stderr } = await load(...args);
        expect(stderr).toContain(message);
        expect(status).toBe(1);
    });

    test("a target without a property API is named, with what to do", async () => {
        const { stderr } = await load("--scenario", "s2", "--url", url);
        expect(stderr).toMatch(
            /\/api\/properties.* responded with 404: the target has no property API .*SERVICES=embed/,
        );
    });
});
