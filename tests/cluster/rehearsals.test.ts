import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readEvidence, type Evidence } from "../../operations/rehearse/evidence.ts";
import { readReplicas, REDIS_SET } from "../../operations/rehearse/workloads.ts";
import { bothColoursReady, openCluster } from "../support/cluster.ts";
import { drive } from "../support/driver.ts";

/* The two quickest rehearsals, the first of them after one that was killed. */

const MINUTE = 60_000;

const cluster = openCluster();
let out: string;

beforeAll(async () => {
    out = await mkdtemp(path.join(tmpdir(), "rehearsals-"));
    await bothColoursReady(cluster);
}, 3 * MINUTE);

afterAll(() => rm(out, { recursive: true, force: true }));

function rehearse(name: string) {
    return drive("rehearse", "--name", name, "--out", out, "--confirm", cluster.context);
}

async function evidenceOf(name: string): Promise<Evidence | undefined> {
    return (await readEvidence(out)).find(({ rehearsal }) => rehearsal === name);
}

test(
    "a rehearsal first puts back what a killed one has left",
    async () => {
        const replicas = await readReplicas(cluster, REDIS_SET);
        const killed = rehearse("redis-loss");
        expect(await killed.waitForLine(/waiting until RedisDown/)).toBe(true);
        killed.kill();
        await killed.ended;
        expect(await readReplicas(cluster, REDIS_SET)).toBe(0);
        expect(await evidenceOf("redis-loss")).toBeUndefined();

        const { exitCode, output } = await rehearse("backup-restore").ended;
        expect(`${exitCode}: ${output}`).toMatch(/^0: .*interrupted rehearsal redis-loss/);
        expect(await readReplicas(cluster, REDIS_SET)).toBe(replicas);
        expect(await evidenceOf("backup-restore")).toMatchObject({
            verdict: "pass",
            reasons: [],
            traffic: { failed: 0, hitRateAfter: expect.any(Number) as unknown },
            putBack: { done: true },
        });
    },
    3 * MINUTE,
);

test(
    "a release is rolled back without a failed request",
    async () => {
        const { exitCode, output } = await rehearse("rollback").ended;
        expect(`${exitCode}: ${output}`).toMatch(/^0: /);
        const evidence = await evidenceOf("rollback");
        expect(evidence).toMatchObject({ verdict: "pass", traffic: { failed: 0 } });
        expect(evidence?.steps.map(({ command }) => command)).toContain(
            "make rollback STACK=local",
        );
    },
    4 * MINUTE,
);
