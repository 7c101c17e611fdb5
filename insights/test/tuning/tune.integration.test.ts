import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ADMIN_PATHS, type RuntimeSettingsState } from "@property-search/contract";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { adminOf, ADMIN_TOKEN } from "../../../app/test/support/admin.ts";
import { startRedis } from "../../../app/test/support/redisServer.ts";
import { startService, stubEnvironment, type Service } from "../../../app/test/support/service.ts";
import { startStubUpstream, type StubUpstream } from "../../../app/test/support/stubUpstream.ts";
import {
    splitByBlock,
    startPrometheus,
    type RealPrometheus,
} from "../../../operations/test/support/prometheus.ts";
import { setUpEach } from "../../../tests/support/setUp.ts";
import { createPrometheus } from "../../src/prometheus/client.ts";
import { createSettingsPort } from "../../src/tuning/admin.ts";
import { observe } from "../../src/tuning/observe.ts";
import type { Decision, TuningRecord } from "../../src/tuning/record.ts";
import { DOLLARS_PER_FETCH, fetchesOf, tuningHistory } from "../support/tuningHistory.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
const DAY = 86_400;
const WEEK = 7 * DAY;
/** The lifetime after the first night, in whole minutes. */
const STEP_DOWN = 554_580;
/** End of the first night. */
const FIRST = Date.parse("2026-11-10T02:00:00Z") / 1000;
/** Nights with a fault: no data for a while, and a release. */
const [OUTAGE, RELEASE] = [FIRST + 2 * DAY, FIRST + 3 * DAY];

let prometheus: RealPrometheus;
let upstream: StubUpstream;
let service: Service;
let folder: string;

beforeAll(async () => {
    const history = tuningHistory({
        from: FIRST - DAY - 3_600,
        to: RELEASE,
        fetchesAt: (seconds) => fetchesOf(seconds <= FIRST ? WEEK : STEP_DOWN),
        isUp: (seconds) => Math.abs(seconds - (OUTAGE - 40_000)) > 5_000,
        versionAt: (seconds) => (seconds < RELEASE - 50_000 ? "v1.0.0" : "v2.0.0"),
    });
    prometheus = await startPrometheus(splitByBlock(history));
    upstream = await startStubUpstream();
});
afterAll(() => Promise.all([prometheus.stop(), upstream.stop()]));

const redis = setUpEach(startRedis, (one) => one.kill());

beforeEach(async () => {
    service = await startService({ ...stubEnvironment(upstream.url, redis.url), ADMIN_TOKEN });
    folder = await mkdtemp(path.join(tmpdir(), "tune-"));
    await writeFile(path.join(folder, "token"), ADMIN_TOKEN);
});
afterEach(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
});

function run(
    night: number,
    ...flags: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
    const args = [
        ...[
            MAIN,
            "tune",
            "--prometheus",
            prometheus.url,
            "--now",
            new Date(night * 1000).toISOString(),
        ],
        ...["--admin", (service.adminUrl ?? "").replace("/admin/v1", "")],
        ...["--admin-token-file", path.join(folder, "token")],
        ...["--record", path.join(folder, "record.json"), ...flags],
    ];
    return new Promise((resolve) => {
        execFile(process.execPath, args, (error, stdout, stderr) => {
            resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        });
    });
}

const AUTOMATIC = ["--mode", "automatic"] as const;
const settings = async () =>
    (await adminOf(service)("GET", ADMIN_PATHS.settings)).json as RuntimeSettingsState;
const ttl = async () => (await settings()).settings.cacheTtlSeconds.value;
const readRecord = async () =>
    JSON.parse(await readFile(path.join(folder, "record.json"), "utf8")) as TuningRecord;
const decisionsOf = ({ decisions }: TuningRecord): readonly Decision[] =>
    decisions.filter(({ setting }) => setting === "cacheTtlSeconds");

test("a night's evidence is what Prometheus has of it", async () => {
    const day = await observe({
        prometheus: createPrometheus({ url: prometheus.url }),
        window: { from: FIRST - DAY, to: FIRST },
        dollarsPerGibHour: undefined,
        staleSeconds: DAY,
        now: new Date(),
    });
    if (typeof day.evidence === "string") throw new Error(day.evidence);
    const { cacheTtlSeconds: found, localCacheMaxEntries: local } = day.evidence;
    if (typeof found === "string" || typeof local === "string")
        throw new Error(JSON.stringify([found, local]));
    expect(found.memorySeconds).toBe(30 * DAY);
    expect(found.measuredFetches).toBeCloseTo(fetchesOf(WEEK), 3);
    expect(found.dollarsPerFetch).toBeCloseTo(DOLLARS_PER_FETCH, 12);
    expect(found.dollarsPerEntrySecond * DAY).toBeCloseTo(1e-5, 9);
    found.ttls.forEach((one, at) => {
        const all = found.fetches.reduce((sum, group) => sum + (group[at] ?? NaN), 0);
        expect(all).toBeCloseTo(fetchesOf(one), 3);
    });
    expect(local).toMatchObject({ redisShare: expect.closeTo(0.5 - fetchesOf(WEEK) / 100_000, 5) });
    expect(local.hitShares[local.entries.indexOf(2_000)]).toBeCloseTo(0.5, 6);
});

test("changes of the service's settings are recorded, compared a night later, and taken back by mode off", async () => {
    const first = await run(FIRST, ...AUTOMATIC);
    expect(first).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(
            "cacheTtlSeconds: change 604800 to 554580, 6.42 d instead of 7 d",
        ),
    });
    expect((await settings()).settings.cacheTtlSeconds).toMatchObject({
        value: STEP_DOWN,
        tuned: { actor: "tuner", reason: expect.stringContaining("saves $") },
    });
    // A second run, such as a retry, changes nothing: at the same time, and later on the same day.
    for (const seconds of [0, 1_200]) await run(FIRST + seconds, ...AUTOMATIC);
    expect((await settings()).version).toBe(1);

    await run(FIRST + DAY, ...AUTOMATIC);
    const record = await readRecord();
    expect(decisionsOf(record)[0]).toMatchObject({
        action: "change",
        status: "confirmed",
        measured: { day: "2026-11-11", holds: true },
    });
    expect(decisionsOf(record).at(-1)).toMatchObject({
        action: "keep",
        reason: expect.stringContaining("would save less than 1.0 %"),
    });
    expect(await ttl()).toBe(STEP_DOWN);

    expect((await run(FIRST + DAY + 3_600, "--mode", "off")).code).toBe(0);
    expect((await settings()).settings.cacheTtlSeconds).toMatchObject({ value: WEEK, tuned: null });
    expect((await readRecord()).decisions.map(({ status }) => status)).not.toContain("in force");
});

test("mode off takes changes back without Prometheus, and without a readable record", async () => {
    const record = path.join(folder, "record.json");
    await run(FIRST, ...AUTOMATIC);
    const off = ["--mode", "off", "--prometheus", "http://127.0.0.1:1"];
    await writeFile(record, "half of a rec");
    const { code, stderr } = await run(FIRST + 3_600, ...off);
    expect([code, stderr]).toEqual([1, expect.stringContaining("is not JSON")]);
    expect(await ttl()).toBe(WEEK);
    expect(await readFile(record, "utf8")).toBe("half of a rec");
    await rm(record);
    expect((await run(FIRST + 7_200, ...off)).code).toBe(0);
    expect((await readRecord()).state.mode).toBe("off");
});

test("nothing is changed by default, after incomplete data, or after a release", async () => {
    await run(FIRST);
    expect(decisionsOf(await readRecord())).toMatchObject([{ action: "propose", to: STEP_DOWN }]);
    const outage = await run(OUTAGE, ...AUTOMATIC);
    expect(outage.stdout).toMatch(/cacheTtlSeconds: keep 604800, counts of this day are missing/);
    const release = await run(RELEASE, ...AUTOMATIC);
    expect(release.stdout).toContain("answered requests: there was a release");
    expect((await settings()).version).toBe(0);
});

test("the kill switch of the service stops the tuner", async () => {
    await run(FIRST, ...AUTOMATIC);
    const stop = { tuning: "stopped", actor: "ann", reason: "odd hit rates" };
    await adminOf(service)("PUT", ADMIN_PATHS.tuning, stop);
    const { stdout } = await run(FIRST + DAY, ...AUTOMATIC);
    expect(stdout).toContain("tuning was stopped by ann: odd hit rates");
    expect(await ttl()).toBe(WEEK);
});

test("a service that does not accept the change has a record of it", async () => {
    const experiments = '[{"name":"cache_ttl_optimization"}]';
    await service.stop();
    redis.command("SET", "embedding:runtime-settings", "of another type");
    service = await startService({ ...stubEnvironment(upstream.url, redis.url), ADMIN_TOKEN });
    const unread = createSettingsPort(
        [{ url: (service.adminUrl ?? "").replace("/admin/v1", ""), token: ADMIN_TOKEN }],
        [],
    );
    await expect(unread.read()).rejects.toThrow("responded with 503");
    redis.command("DEL", "embedding:runtime-settings");
    await service.stop();
    service = await startService({
        ...{ ...stubEnvironment(upstream.url, redis.url), ADMIN_TOKEN, EXPERIMENTS: experiments },
    });
    const { stdout } = await run(FIRST, ...AUTOMATIC);
    expect(stdout).toContain("the experiment cache_ttl_optimization varies it");
});

test("wrong flags and a damaged record are errors that name the value and what is allowed", async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
        [["--mode", "maybe"], "Allowed choices are off, review, automatic"],
        [["--storage-dollars-per-gib-hour", "0"], 'is "0"; allowed: dollars above 0'],
        [["--publish", "http://page"], "--publish or --record is required, and not both"],
        [["--now", "tomorrow"], '--now is "tomorrow"; allowed: a time of the past'],
    ];
    for (const [flags, message] of cases) {
        const { code, stderr } = await run(FIRST, ...flags);
        expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
    await writeFile(path.join(folder, "record.json"), '{"schema":"another"}');
    const { stderr } = await run(FIRST);
    expect(stderr).toContain('has schema "another"');
});
