import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
    COLOURS,
    NAMESPACES,
    RELEASE,
    ROUTE_NAME,
    SERVICE_NAMES,
    type ReleasePhase,
    type Weights,
} from "@property-search/contract";
import { applyStack } from "../../../deploy/apply/apply.ts";
import { readIfExists, type Manifest } from "../../../cluster/connect.ts";
import { createRecord } from "../../../deploy/apply/record.ts";
import { reclaimFromRelease } from "../../../deploy/apply/coexistWithRelease.ts";
import { isOwnedByDriver } from "../../../cluster/fieldOwnership.ts";
import { ROUTE, routeWeights } from "../../../shared/route.ts";
import { startApiServer, type ApiServer } from "../../support/apiServer.ts";

const STACK = "prod";
const BEFORE: Weights = { blue: 100, green: 0 };
const STEP: Weights = { blue: 90, green: 10 };
const AFTER: Weights = { blue: 0, green: 100 };
const SCALER = {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    namespace: NAMESPACES.green,
    name: SERVICE_NAMES.green,
};

let api: ApiServer;
let reported: string[];

beforeEach(async () => {
    api = await startApiServer();
    reported = [];
    await deploy(route(BEFORE), scaler(3));
});

afterEach(() => api.close());

function route(weights: Weights, path = "/embed", extra: object = {}): Manifest {
    const backendRefs = COLOURS.map((colour) => ({
        name: SERVICE_NAMES[colour],
        namespace: NAMESPACES[colour],
        weight: weights[colour],
    }));
    return {
        apiVersion: ROUTE.apiVersion,
        kind: ROUTE.kind,
        metadata: { name: ROUTE_NAME, namespace: NAMESPACES.edge, ...extra },
        ...{ spec: { rules: [{ matches: [{ path: { value: path } }], backendRefs }] } },
    };
}

function scaler(minReplicaCount: number, maxReplicaCount = 10): Manifest {
    const { apiVersion, kind, namespace, name } = SCALER;
    return {
        apiVersion,
        kind,
        metadata: { name, namespace },
        ...{ spec: { minReplicaCount, maxReplicaCount } },
    };
}

async function deploy(...manifests: Manifest[]) {
    const { cluster } = api;
    const record = await createRecord(cluster, STACK, {});
    const report = (line: string) => reported.push(line);
    return applyStack({ cluster, stack: STACK, manifests, record, report });
}

/** Writes as the driver: its record, and weights or a floor with force. */
async function release(phase: ReleasePhase, ...objects: Manifest[]): Promise<void> {
    const phaseSince = Date.parse("2026-11-25T14:00:00Z");
    const colours = { from: "blue", to: "green" };
    const note = { id: "20261125-1", ...colours, phase, actor: "ann@laptop", phaseSince };
    await api.apply(RELEASE.fieldManager, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: RELEASE.configMap, namespace: NAMESPACES.edge },
        ...{ data: { [RELEASE.key]: JSON.stringify(note) } },
    });
    for (const object of objects) await api.apply(RELEASE.fieldManager, object);
}

async function live(): Promise<Manifest> {
    const found = await readIfExists<Manifest>(api.cluster, ROUTE);
    if (!found) throw new Error("the route is gone");
    return found;
}

const liveWeights = async () => routeWeights(await live());

async function liveFloor(): Promise<unknown> {
    const found = await readIfExists<Manifest & { spec?: object }>(api.cluster, SCALER);
    return found?.spec;
}

describe("during a switch, a deploy by apply", () => {
    test("keeps the weights, whatever its config has, and reports it once", async () => {
        await release("observe", route(STEP));
        await deploy(route(BEFORE), scaler(3));
        expect(await liveWeights()).toEqual(STEP);
        expect(reported.filter((line) => line.includes("switch"))).toEqual([
            "a switch to green is in progress: weights stay 90/10",
        ]);
    });

    test("does so before the driver has set any, too", async () => {
        await release("raise");
        await deploy(route(AFTER), scaler(3));
        expect(await liveWeights()).toEqual(BEFORE);
    });

    test("keeps the floors of autoscalers, and changes their other fields", async () => {
        await release("observe", { ...scaler(6), ...{ spec: { minReplicaCount: 6 } } });
        await deploy(route(BEFORE), scaler(2, 8));
        expect(await liveFloor()).toEqual({ minReplicaCount: 6, maxReplicaCount: 8 });
        expect(reported).toContain(
            `a switch to green is in progress: minReplicaCount of ${SERVICE_NAMES.green} stays 6`,
        );
    });

    test("keeps weights that change between its read and its write", async () => {
        await release("observe", route(STEP));
        api.onWrite = async (kind) => {
            if (kind !== "HTTPRoute") return;
            api.onWrite = () => undefined;
            await release("observe", route({ blue: 50, green: 50 }));
        };
        await deploy(route(BEFORE), scaler(3));
        expect(await liveWeights()).toEqual({ blue: 50, green: 50 });
    });

    test("rejects other changes of the rules, with the remedy", async () => {
        await release("observe", route(STEP));
        await expect(deploy(route(BEFORE, "/v2/embed"), scaler(3))).rejects.toThrow(
            /changes more than weights or floor during a switch.*make rollback/s,
        );
        expect(await liveWeights()).toEqual(STEP);
    });

    test("keeps the driver's ownership and annotations", async () => {
        const marks = { annotations: { mark: "1" } };
        await release("observe", route(STEP, "/embed", marks));
        await deploy(route(BEFORE), scaler(3));
        expect(isOwnedByDriver(await live())).toBe(true);
        expect((await live()).metadata.annotations).toEqual({ mark: "1" });
    });
});

describe("after a switch, a deploy by apply", () => {
    test("rejects weights that differ from the release's, with details and remedy", async () => {
        await release("promoted", route(AFTER));
        const refused = deploy(route(BEFORE), scaler(3));
        await expect(refused).rejects.toThrow(
            "traffic.weights of stack prod is 100/0, but the release 20261125-1 of ann@laptop (promoted " +
                "since 2026-11-25T14:00:00.000Z) has set 0/100 (blue/green), which a deploy does not undo. Set " +
                "property-search:traffic.weights to { blue: 0, green: 100 } in Pulumi.prod.yaml and deploy again; " +
                "use make switch to shift traffic.",
        );
        expect(await liveWeights()).toEqual(AFTER);
    });

    test("that agrees ends the driver's ownership, and its values stay", async () => {
        await release("promoted", route(AFTER, "/embed", { annotations: { mark: "1" } }));
        await deploy(route(AFTER), scaler(3));
        const route1 = await live();
        expect(isOwnedByDriver(route1)).toBe(false);
        expect(routeWeights(route1)).toEqual(AFTER);
        expect(route1.metadata.annotations).toEqual({ mark: "1" });
    });

    test("that agrees may change the rules at once, and the weights the next time", async () => {
        await release("promoted", route(AFTER));
        await deploy(route(AFTER, "/v2/embed"), scaler(3));
        await deploy(route(STEP, "/v3/embed"), scaler(3));
        expect(await live()).toMatchObject(route(STEP, "/v3/embed"));
    });

    test("sets a floor that the driver has left behind", async () => {
        await release("rolled-back", { ...scaler(6), ...{ spec: { minReplicaCount: 6 } } });
        await deploy(route(BEFORE), scaler(2));
        expect(await liveFloor()).toMatchObject({ minReplicaCount: 2 });
    });

    test("still conflicts with fields of other owners", async () => {
        await release("promoted", route(AFTER));
        await api.apply("somebody-else", route(AFTER));
        await expect(deploy(route(AFTER, "/v2/embed"), scaler(3))).rejects.toThrow(
            /has fields of another owner/,
        );
    });

    test("rejects them without a record too: the route shows that the driver has written it", async () => {
        await api.apply(RELEASE.fieldManager, route(AFTER));
        await expect(deploy(route(BEFORE), scaler(3))).rejects.toThrow(
            "the release has set 0/100 (blue/green)",
        );
    });
});

test("an unreadable record stops a deploy: a switch may be in progress", async () => {
    await api.apply(RELEASE.fieldManager, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: RELEASE.configMap, namespace: NAMESPACES.edge },
        ...{ data: { [RELEASE.key]: '{"phase":"of another time"}' } },
    });
    await expect(deploy(route(BEFORE), scaler(3))).rejects.toThrow(
        "has no switch record that this version can read",
    );
});

describe("before pulumi up", () => {
    const settle = (configured: Weights) => {
        const report = (line: string) => reported.push(line);
        return reclaimFromRelease({ cluster: api.cluster, stack: STACK, report }, configured);
    };

    test("a switch in progress is detected and reported, whatever the config has", async () => {
        await release("observe", route(STEP));
        expect(await settle(AFTER)).toBe(true);
        expect(reported).toContain("a switch to green is in progress: weights stay 90/10");
        expect(isOwnedByDriver(await live())).toBe(true);
    });

    test("weights that differ from the release's are rejected with the same message", async () => {
        await release("promoted", route(AFTER));
        await expect(settle(BEFORE)).rejects.toThrow(
            "traffic.weights of stack prod is 100/0, but the release 20261125-1 of ann@laptop",
        );
    });

    test("the driver's ownership of route and autoscalers ends if the config agrees", async () => {
        await release("promoted", route(AFTER), scaler(6));
        expect(await settle(AFTER)).toBe(false);
        expect(isOwnedByDriver(await live())).toBe(false);
        const found = await readIfExists<Manifest>(api.cluster, SCALER);
        expect(found && isOwnedByDriver(found)).toBe(false);
    });

    test("nothing changes on a cluster without a release", async () => {
        const { writes } = api;
        expect(await settle(STEP)).toBe(false);
        expect(api.writes).toBe(writes);
    });
});
