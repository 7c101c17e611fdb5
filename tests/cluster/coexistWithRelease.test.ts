import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
    COLOURS,
    RELEASE,
    ROUTE_NAME,
    SERVICE_NAMES,
    type ReleasePhase,
    type Weights,
} from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { applyStack } from "../../operations/deploy/apply/apply.ts";
import { readIfExists, referenceOf, type Manifest } from "../../operations/cluster/connect.ts";
import { createRecord, readRecord } from "../../operations/deploy/apply/record.ts";
import { removeStack } from "../../operations/deploy/apply/remove.ts";
import { isOwnedByDriver } from "../../operations/cluster/fieldOwnership.ts";
import { routeWeights } from "../../operations/shared/route.ts";
import { openCluster } from "../support/cluster.ts";

/** How the API server of a real cluster takes what deploys and the release driver write to one object. */
const cluster = openCluster();
const stack = `test-${randomUUID().slice(0, 8)}`;
const namespace = stack;

const BEFORE: Weights = { blue: 100, green: 0 };
const STEP: Weights = { blue: 90, green: 10 };
const AFTER: Weights = { blue: 0, green: 100 };

const lines: string[] = [];

function route(weights: Weights, path = "/embed"): Manifest {
    const backendRefs = COLOURS.map((colour) => ({
        group: "",
        kind: "Service",
        name: SERVICE_NAMES[colour],
        port: 80,
        weight: weights[colour],
    }));
    return {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: ROUTE_NAME, namespace },
        ...{
            spec: {
                // The deploy's alone: where the driver owns all that anybody does, managedFields would be
                // left empty, and that the API server does not take.
                parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "none" }],
                rules: [{ matches: [{ path: { type: "Exact", value: path } }], backendRefs }],
            },
        },
    };
}

function scaler(spec: object): Manifest {
    return {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: SERVICE_NAMES.green, namespace },
        ...{ spec },
    };
}

const TARGET = { apiVersion: "apps/v1", kind: "Deployment", name: "none" };
const bounds = (minReplicas: number) =>
    scaler({ scaleTargetRef: TARGET, minReplicas, maxReplicas: 9 });

async function deploy(...manifests: Manifest[]) {
    const record = await readRecord(cluster, stack);
    if (!record) throw new Error("the stack has no record");
    const home: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    const report = (line: string) => lines.push(line);
    return applyStack({ cluster, stack, manifests: [home, ...manifests], record, report });
}

/** The rules alone, as the driver writes them. */
function rulesOf(whole: Manifest & { spec?: { rules?: unknown } }): Manifest {
    return { ...whole, ...{ spec: { rules: whole.spec?.rules } } };
}

async function drive(phase: ReleasePhase, ...objects: Manifest[]): Promise<void> {
    const colours = { from: "blue", to: "green" };
    const note = { id: "r1", ...colours, phase, actor: "test", phaseSince: Date.now() };
    const record: Manifest = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: RELEASE.configMap, namespace },
        ...{ data: { [RELEASE.key]: JSON.stringify(note) } },
    };
    for (const object of [record, ...objects]) {
        await cluster.objects.apply(object, { fieldManager: RELEASE.fieldManager, force: true });
    }
}

async function live(manifest: Manifest): Promise<Manifest & { spec?: object }> {
    const found = await readIfExists<Manifest>(cluster, referenceOf(manifest));
    if (!found) throw new Error(`${manifest.kind} is gone`);
    return found;
}

beforeAll(async () => {
    await createRecord(cluster, stack, {});
});

beforeEach(async () => {
    await deploy();
    await drive("rolled-back");
    await deploy(route(BEFORE), bounds(3));
    lines.length = 0;
});

afterAll(async () => {
    await removeStack(cluster, stack, { report: () => undefined });
});

test("while a switch is under way weights and floor stay, and other changes of the rules are refused", async () => {
    await drive("observe", rulesOf(route(STEP)), scaler({ minReplicas: 6 }));
    await deploy(route(BEFORE), bounds(2));
    expect(routeWeights(await live(route(BEFORE)))).toEqual(STEP);
    expect((await live(bounds(2))).spec).toMatchObject({ minReplicas: 6 });
    expect(lines).toContain("a switch to green is in progress: weights stay 90/10");
    await expect(deploy(route(BEFORE, "/v2/embed"), bounds(2))).rejects.toThrow(
        /changes more than weights or floor during a switch.*\.spec\.rules/s,
    );
});

test("after a switch other weights are refused, and what agrees ends the driver's claim for good", async () => {
    await drive("promoted", rulesOf(route(AFTER)), scaler({ minReplicas: 6 }));
    await expect(deploy(route(BEFORE), bounds(3))).rejects.toThrow(
        /traffic\.weights of stack .* is 100\/0, but the release r1 of test .* has set 0\/100/,
    );
    expect(isOwnedByDriver(await live(route(AFTER)))).toBe(true);

    await deploy(route(AFTER, "/v2/embed"), bounds(2));
    expect(isOwnedByDriver(await live(route(AFTER)))).toBe(false);
    expect((await live(bounds(2))).spec).toMatchObject({ minReplicas: 2 });

    await deploy(route(STEP, "/v3/embed"), bounds(2));
    expect(await live(route(STEP))).toMatchObject(route(STEP, "/v3/embed"));
});
