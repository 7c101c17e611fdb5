import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { NAMESPACES, PATHS } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { watchAlerts, type AlertTimes } from "../support/alerts.ts";
import {
    bothColoursReady,
    eventually,
    openClient,
    openCluster,
    type Client,
} from "../support/cluster.ts";
import { writeEvidence } from "../support/evidence.ts";
import { startLoad, type Load, type LoadOptions } from "../support/load.ts";
import { memoryOf, pauseAtNone, scalePrometheus } from "../support/platform.ts";
import { openPrometheus } from "../support/prometheus.ts";
import { watchReplicas, type ReplicaWatch } from "../support/replicas.ts";

/*
 * One story of half an hour, in which each part makes the cause of what the next one needs: a cold cache
 * under a step of the load, idle time without hits, a colour without pods, a warm cache, a failing cache
 * with slow responses, and an unavailable Prometheus.
 */

/** Misses a second, of which blue gets nine tenths: two pods stay below their target of misses and of CPU. */
const USUAL = 10;
const STEP = 5;
/** Two evaluations of the rules. */
const SLACK = 30;
const FLOOR = 2;
const LIMIT = 4;
const MIB = 2 ** 20;
/** Texts that the slow traffic adds one by one: added together, they would trigger scaling. */
const KNOWN = 250;
/** Texts of one request, some of which are in the cache while it fails. */
const BATCH = 64;
const KNOWN_OF_BATCH = 36;

const run = randomUUID();
const cluster = openCluster();
const prometheus = openPrometheus(cluster);
const alerts = watchAlerts(cluster, prometheus);
const evidence: Record<string, unknown> = {};

let blue: ReplicaWatch;
let client: Client;
/** Whatever sends: no part of the story leaves its load to the next one, also where it breaks off. */
const loads: Load[] = [];

beforeAll(async () => {
    await bothColoursReady(cluster);
    client = await openClient(cluster);
    blue = watchReplicas(cluster, "blue");
    await eventually("blue is at its floor", () => Promise.resolve(blue.now() === FLOOR), 900);
}, 960_000);

afterAll(async () => {
    blue.stop();
    await scalePrometheus(cluster, 1);
    await pauseAtNone(cluster, "green", false);
    writeEvidence("alerts", { ...evidence, replicasOfBlue: blue.changes() });
});

describe("while every text is new", () => {
    let load: Load;
    afterAll(stopLoads);

    test("a step of five times brings pods within a minute, and p95 recovers", async () => {
        const before = await during({ perSecond: USUAL, bodies: newText }, async (usual) => {
            await delay(45_000);
            return usual.p95(20);
        });
        expect(blue.now()).toBe(FLOOR);

        const step = Date.now();
        load = send({ perSecond: USUAL * STEP, bodies: newText });
        await eventually("blue has a new pod that is ready", () =>
            Promise.resolve(blue.ready() > FLOOR),
        );
        const addedAfter = (Date.now() - step) / 1000;
        let worst = 0;
        await eventually(
            "p95 is below half a second on all the pods there may be",
            async () => {
                await delay(1000);
                worst = Math.max(worst, load.p95(10));
                return blue.ready() === LIMIT && load.p95(10) < 0.5;
            },
            240,
        );
        const recoveredAfter = (Date.now() - step) / 1000;
        evidence.step = {
            ...{
                missesBefore: USUAL,
                missesAfter: USUAL * STEP,
                p95Before: before,
                p95Worst: worst,
            },
            ...{ p95After: load.p95(10), addedAfter, recoveredAfter },
        };
        expect(addedAfter).toBeLessThanOrEqual(60);
    }, 420_000);

    test("a hit rate of zero pages", async () => {
        await alerts.fired("EmbeddingCacheHitRateCritical", "blue", 240);
        await stop(load);
    }, 300_000);
});

describe("while a text a second comes, and none of them twice", () => {
    let idleSince: number;
    // What this one sent to the colour that was down has failed.
    afterAll(stopLoads);

    test("a colour that has weight and no pod is down, and the other one is not", async () => {
        idleSince = Date.now() / 1000;
        send({
            perSecond: 1,
            bodies: (at) => (at < KNOWN ? oneKnown(at) : newText(at)),
        });
        await pauseAtNone(cluster, "green", true);
        await alerts.fired("ServiceDown", "green", 150);
        await pauseAtNone(cluster, "green", false);
        await alerts.resolved("ServiceDown", "green", 150);
        const { alerts: down } = await prometheus.rule("ServiceDown");
        expect(down).toEqual([]);
    }, 360_000);

    test("the colour goes back to its floor: after five minutes, a pod a minute", async () => {
        await eventually("blue is at its floor", () => Promise.resolve(blue.now() === FLOOR), 720);
        const falls = blue.changes().filter(({ at }) => at > idleSince);
        expect(falls.map(({ replicas }) => replicas)).toEqual([3, 2]);
        const [first, second] = falls.map(({ at }) => at - idleSince);
        evidence.floor = { firstPodWentAfter: first, secondPodWentAfter: second };
        // The autoscaler looks every 15 s.
        expect(first).toBeGreaterThanOrEqual(285);
        expect((second ?? NaN) - (first ?? NaN)).toBeGreaterThanOrEqual(45);
    }, 780_000);

    test("a cache without hits misses the savings target", async () => {
        await alerts.fired("CostSavingsTargetMissed", "all", 900);
    }, 960_000);
});

describe("once the texts are known", () => {
    test("the alerts of the cold cache are over", async () => {
        await during({ perSecond: 60, bodies: oneKnown }, async () => {
            await alerts.resolved("EmbeddingCacheHitRateCritical", "blue", 120);
            await alerts.resolved("CostSavingsTargetMissed", "all", 180);
        });
        const known = { perSecond: 1.5, path: PATHS.embeddings, bodies: () => batch(BATCH) };
        await during(known, () => delay(30_000));
        expect(blue.now()).toBe(FLOOR);
    }, 400_000);
});

describe("when the hit rate falls at the same traffic", () => {
    let load: Load;
    afterAll(stopLoads);

    test("there are more pods", async () => {
        const fall = Date.now();
        load = send({
            ...{ perSecond: 1.5, path: PATHS.embeddings },
            bodies: () => batch(KNOWN_OF_BATCH),
        });
        await eventually("blue has more pods", () => Promise.resolve(blue.now() > FLOOR), 120);
        evidence.fallingHitRate = {
            ...{ from: 1, to: KNOWN_OF_BATCH / BATCH, morePodsAfter: (Date.now() - fall) / 1000 },
        };
    }, 180_000);

    test("it warns of the hit rate and of slow answers", async () => {
        await alerts.fired("EmbeddingCacheHitRateLow", "blue", 600);
        await alerts.fired("ResponseTimeHigh", "blue", 600);
        await stop(load);
    }, 1_260_000);

    test("and resolves when texts are found again", async () => {
        await during({ perSecond: 100, bodies: oneKnown }, async () => {
            await alerts.resolved("EmbeddingCacheHitRateLow", "blue", 240);
            await alerts.resolved("ResponseTimeHigh", "blue", 240);
        });
    }, 500_000);
});

test("without Prometheus no pod goes and none comes", async () => {
    const pods = blue.now();
    const away = Date.now() / 1000;
    expect(pods).toBeGreaterThan(FLOOR);
    await scalePrometheus(cluster, 0);
    // The window of scaling down, and a minute in which a pod would go.
    await delay(375_000);
    const changes = blue.changes().filter(({ at }) => at > away);
    evidence.prometheusAway = { seconds: Date.now() / 1000 - away, pods, changes };
    await scalePrometheus(cluster, 1);
    expect(changes).toEqual([]);
}, 560_000);

describe("each alert came and went in its time, and its receiver knew", () => {
    const stories: AlertTimes[] = [];
    evidence.alerts = stories;

    test.each([
        ["EmbeddingCacheHitRateCritical", "blue"],
        ["ServiceDown", "green"],
        ["CostSavingsTargetMissed", "all"],
        ["EmbeddingCacheHitRateLow", "blue"],
        ["ResponseTimeHigh", "blue"],
    ])(
        "%s of %s",
        async (name, colour) => {
            const story = await alerts.times(name, colour, 400);
            stories.push(story);
            expect(story.firedAfter).toBeLessThanOrEqual(story.for + SLACK);
            expect(story.endedAfter).toBeLessThanOrEqual(SLACK);
        },
        420_000,
    );

    test("the dead man's switch hears the Watchdog", async () => {
        await alerts.fired("Watchdog", "", 90);
    });
});

test("watching costs no more than a gibibyte", async () => {
    const memory = (await memoryOf(cluster, NAMESPACES.monitoring)) / MIB;
    evidence.memory = { monitoringMiB: memory };
    expect(memory).toBeGreaterThan(0);
    expect(memory).toBeLessThanOrEqual(1024);
});

type Sending = Pick<LoadOptions, "bodies" | "perSecond"> & Partial<LoadOptions>;

/** Sends while something is done. @throws Error when a request has failed */
async function during<T>(sending: Sending, action: (load: Load) => Promise<T>): Promise<T> {
    const load = send(sending);
    try {
        const value = await action(load);
        await stop(load);
        return value;
    } finally {
        await stopLoads();
    }
}

function send(sending: Sending): Load {
    const load = startLoad({
        ...{ ...client, path: PATHS.embed, connections: 512, keepAlive: true },
        ...{ maxRequests: 200_000, maxSeconds: 1_300 },
        ...sending,
    });
    loads.push(load);
    return load;
}

async function stopLoads(): Promise<void> {
    await Promise.all(loads.splice(0).map((load) => load.stop()));
}

/** @throws Error when a request has failed */
async function stop(load: Load): Promise<void> {
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
}

function newText(at: number): { readonly text: string } {
    return {
        text: `Listing ${at} of ${randomUUID()}: two rooms, a garden and a view of the river`,
    };
}

function knownText(at: number): string {
    return `Listing ${at % KNOWN} of ${run}: two rooms, a garden and a view of the river`;
}

function oneKnown(at: number): object {
    return { text: knownText(at) };
}

/** A request for texts that are known, as many as said, and new ones. */
function batch(known: number): object {
    const start = Math.floor(Math.random() * KNOWN);
    const input = Array.from({ length: BATCH }, (_, at) =>
        at < known ? knownText(start + at) : newText(at).text,
    );
    return { model: "all-MiniLM-L6-v2", input, encoding_format: "base64" };
}
