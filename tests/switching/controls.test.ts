import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { GATEWAY_NAME, NAMESPACES, PATHS, PORTS, type Colour } from "@property-search/contract";
import type { ObjectReference } from "../../operations/cluster/connect.ts";
import { setTimeout as delay } from "node:timers/promises";
import { totalsOf, type Totals } from "../support/clients/clients.ts";
import {
    bothColoursReady,
    eventually,
    openClient,
    openCluster,
    podsOf,
} from "../support/cluster.ts";
import { writeEvidence } from "../support/evidence.ts";
import { killAtOnce } from "../../local/src/node/killPod.ts";
import { isReady } from "../support/podKiller.ts";
import { beginSwitching, setWeights, startUsual } from "../support/switching.ts";

/*
 * What costs requests, by the same clients and the same counting that see none fail in a switch: were these
 * to fail none either, the others would prove nothing.
 */

/** A label by which the selector of a Service distinguishes two pods, and the object names of this control. */
const FLIPPED = "test-flip";
const MARK = "x-test-flip";

const cluster = openCluster();
const evidence: Record<string, Totals> = {};
let colour: Colour;
let namespace: string;
let putBack: () => Promise<void>;

beforeAll(async () => {
    ({ idle: colour, putBack } = await beginSwitching(cluster));
    namespace = NAMESPACES[colour];
}, 180_000);

afterEach(() => bothColoursReady(cluster), 180_000);

afterAll(async () => {
    await putBack();
    writeEvidence("switching-controls", evidence);
});

describe("a selector that switches from one pod to another while the first one is killed", () => {
    const service = (pod: string): V1Service => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: FLIPPED, namespace },
        spec: {
            selector: { [FLIPPED]: pod },
            ports: [{ port: PORTS.service, targetPort: "http" }],
        },
    });
    const objects: ObjectReference[] = [];

    beforeAll(async () => {
        const made = [service("one"), grant(), route()];
        for (const object of made) {
            await cluster.objects.create(object);
            const { apiVersion = "", kind = "" } = object;
            objects.push({
                apiVersion,
                kind,
                namespace: object.metadata?.namespace ?? "",
                name: FLIPPED,
            });
        }
    });

    afterAll(async () => {
        for (const object of objects) await cluster.objects.delete(object);
    });

    test("fails some of them", async () => {
        const [one, two] = await podsOf(cluster, colour);
        if (!one || !two) throw new Error(`${colour} has fewer than two pods`);
        await label(one, "one");
        await label(two, "two");
        await isServed({ [MARK]: "yes" });
        const perSecond = { kept: 200, fresh: 100, slow: 2 };
        const clients = await startUsual(cluster, { headers: { [MARK]: "yes" }, perSecond });
        await delay(5_000);
        await cluster.objects.merge(service("two"));
        await killAtOnce(one);
        await delay(10_000);
        const totals = totalsOf(await clients.stop());
        evidence.selectorFlip = totals;
        expect(totals.failed).toBeGreaterThan(0);
        expect(totals.answered[colour]).toBeGreaterThan(1000);
    }, 180_000);
});

describe("a colour with half of the traffic whose pods are all killed together", () => {
    test("fails some of them, although the gateway retries them", async () => {
        await setWeights(cluster, { blue: 50, green: 50 });
        const clients = await startUsual(cluster);
        await delay(10_000);
        await Promise.all((await podsOf(cluster, colour)).filter(isReady).map(killAtOnce));
        await delay(30_000);
        const totals = totalsOf(await clients.stop());
        evidence.colourKilled = totals;
        expect(totals.failed).toBeGreaterThan(0);
    }, 180_000);
});

/** The gateway may use one Service of this namespace that it may not use otherwise. */
function grant() {
    return {
        apiVersion: "gateway.networking.k8s.io/v1beta1",
        kind: "ReferenceGrant",
        metadata: { name: FLIPPED, namespace },
        spec: {
            from: [
                {
                    group: "gateway.networking.k8s.io",
                    kind: "HTTPRoute",
                    namespace: NAMESPACES.edge,
                },
            ],
            to: [{ group: "", kind: "Service", name: FLIPPED }],
        },
    };
}

/** As a plain route has it: nothing is sent again. */
function route() {
    return {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: FLIPPED, namespace: NAMESPACES.edge },
        spec: {
            parentRefs: [{ name: GATEWAY_NAME, sectionName: "http" }],
            rules: [
                {
                    matches: [
                        {
                            path: { type: "Exact", value: PATHS.embed },
                            headers: [{ name: MARK, value: "yes" }],
                        },
                    ],
                    filters: [
                        {
                            type: "ResponseHeaderModifier",
                            responseHeaderModifier: { set: [{ name: MARK, value: "yes" }] },
                        },
                    ],
                    backendRefs: [{ name: FLIPPED, namespace, port: PORTS.service, weight: 1 }],
                },
            ],
        },
    };
}

async function label({ metadata }: V1Pod, value: string): Promise<void> {
    const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: metadata?.name ?? "", namespace, labels: { [FLIPPED]: value } },
    };
    await cluster.objects.merge(pod);
}

async function isServed(headers: Readonly<Record<string, string>>): Promise<void> {
    const client = await openClient(cluster);
    const url = client.url + PATHS.embed;
    await eventually("the route of this test is served", async () => {
        const body = JSON.stringify({ text: "two rooms near the station" });
        const sent = { ...client.headers, ...headers, "content-type": "application/json" };
        const response = await fetch(url, { method: "POST", headers: sent, body });
        await response.arrayBuffer();
        return response.ok && response.headers.has(MARK);
    });
}
