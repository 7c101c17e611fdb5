import type { V1Pod } from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
    COLOURS,
    GATEWAY_NAME,
    NAMESPACES,
    PATHS,
    PORTS,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import {
    bothColoursReady,
    eventually,
    openClient,
    openCluster,
    podsOf,
    type Client,
} from "../support/cluster.ts";
import { killAtOnce } from "../../local/src/node/killPod.ts";
import { startLoad, type Load } from "../support/load.ts";

const SENTENCES = Array.from({ length: 50 }, (_, index) => ({
    text: `Two-bedroom flat with a garden, listing ${index}`,
}));
/** So many that some hundred open retries do not stop the rest. */
const CONNECTIONS = 128;
/** Shows that clients did send; the speed depends on what else the machine does (759 and 932 beside a busy process). */
const PER_SECOND = 500;

/** A header of this test alone: with it a request goes by the test's own route, and the answer has it too. */
const MARK = "x-test-without";
const UNPROTECTED = { [MARK]: "retries" };
const CONTROL = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "test-without-retries", namespace: NAMESPACES.edge },
    spec: {
        parentRefs: [{ name: GATEWAY_NAME, sectionName: "http" }],
        rules: [
            {
                matches: [
                    {
                        path: { type: "Exact", value: PATHS.embed },
                        headers: [{ name: MARK, value: UNPROTECTED[MARK] }],
                    },
                ],
                filters: [
                    {
                        type: "ResponseHeaderModifier",
                        responseHeaderModifier: {
                            set: [{ name: MARK, value: UNPROTECTED[MARK] }],
                        },
                    },
                ],
                backendRefs: COLOURS.map((colour) => ({
                    name: SERVICE_NAMES[colour],
                    namespace: NAMESPACES[colour],
                    port: PORTS.service,
                    weight: 50,
                })),
            },
        ],
    },
};

const cluster = openCluster();
let client: Client;
let load: Load | undefined;

beforeAll(async () => {
    client = await openClient(cluster);
    await bothColoursReady(cluster);
});

afterEach(async () => {
    await load?.stop();
    await bothColoursReady(cluster);
}, 180_000);

function sending(keepAlive: boolean, headers: Readonly<Record<string, string>> = {}): Load {
    load = startLoad({
        url: client.url,
        path: PATHS.embed,
        bodies: SENTENCES,
        connections: CONNECTIONS,
        maxRequests: 2_000_000,
        maxSeconds: 500,
        keepAlive,
        headers: { ...client.headers, ...headers },
    });
    return load;
}

function restartsOf({ status }: V1Pod): number {
    return status?.containerStatuses?.[0]?.restartCount ?? NaN;
}

/**
 * Kills a pod at once and waits until it serves again: the one that was least often killed, for Kubernetes
 * waits longer before each further start of the same.
 */
async function killOne(colour: Colour): Promise<void> {
    await bothColoursReady(cluster);
    const pods = await podsOf(cluster, colour);
    const [pod] = pods.sort((one, other) => restartsOf(one) - restartsOf(other));
    if (pod === undefined) throw new Error(`${colour} has no pod`);
    const { name = "", uid } = pod.metadata ?? {};
    const restarts = restartsOf(pod);
    await killAtOnce(pod);
    const end = { isRemoved: false };
    await eventually(`${name} is started again`, async () => {
        const pods = await podsOf(cluster, colour);
        const found = pods.find(({ metadata }) => metadata?.uid === uid);
        end.isRemoved = found === undefined;
        if (end.isRemoved) return true;
        const [status] = found?.status?.containerStatuses ?? [];
        // The status of the new start precedes the reason of the last end by a moment.
        const died = status?.lastState?.terminated;
        if (status?.restartCount !== restarts + 1 || died === undefined) return false;
        expect(died).toMatchObject({ exitCode: 137 });
        return true;
    });
    await bothColoursReady(cluster);
    // The autoscaler may scale down meanwhile, and prefers the pod that is not ready.
    if (end.isRemoved) await killOne(colour);
}

describe("pods that die at once, while clients send without a pause and without a retry of their own", () => {
    test.each([
        ["kept-alive connections", true],
        ["a new connection for each request", false],
    ])(
        "cost not one request, with %s",
        async (connections, keepAlive) => {
            const { stop } = sending(keepAlive);
            const begun = performance.now();
            for (const colour of COLOURS) await killOne(colour);
            const seconds = (performance.now() - begun) / 1000;
            const { answered, failures } = await stop();
            const rate = Math.round(answered / seconds);
            console.info(`${answered} answered, ${rate} a second, ${connections}`);
            expect(failures).toEqual([]);
            expect(rate).toBeGreaterThanOrEqual(PER_SECOND);
        },
        600_000,
    );

    describe("but through a route without the filter", () => {
        beforeAll(async () => {
            await cluster.objects.create(CONTROL);
            await eventually("the route of this test is served", async () => {
                const headers = {
                    ...client.headers,
                    ...UNPROTECTED,
                    "content-type": "application/json",
                };
                const body = JSON.stringify(SENTENCES[0]);
                const response = await fetch(client.url + PATHS.embed, {
                    method: "POST",
                    headers,
                    body,
                });
                return response.ok && response.headers.has(MARK);
            });
        });

        afterAll(async () => {
            await cluster.objects.delete({ ...CONTROL, ...CONTROL.metadata });
        });

        test("cost some", async () => {
            const { stop } = sending(true, UNPROTECTED);
            await killOne("blue");
            const { answered, failures } = await stop();
            console.info(`${answered} answered, ${failures.length} failed without the filter`);
            expect(failures.length).toBeGreaterThan(0);
            expect(new Set(failures)).toEqual(new Set(["status 502"]));
        }, 300_000);
    });
});
