import { afterEach, describe, expect, test } from "@jest/globals";
import type { V1Pod } from "@kubernetes/client-node";
import { COLOURS, NAMESPACES, PATHS, type Colour } from "@property-search/contract";
import {
    bothColoursReady,
    eventually,
    openClient,
    openCluster,
    podsOf,
} from "../support/cluster.ts";
import { startLoad } from "../support/load.ts";

const SENTENCES = Array.from({ length: 50 }, (_, index) => ({
    text: `Two-bedroom flat with a garden, listing ${index}`,
}));

const cluster = openCluster();

afterEach(() => bothColoursReady(cluster));

describe("while clients send without a pause and without a retry", () => {
    test.each([
        ["kept-alive connections", true],
        ["a new connection for each request", false],
    ])(
        "pods deleted with their grace cost not one request, with %s",
        async (connections, keepAlive) => {
            await bothColoursReady(cluster);
            const load = startLoad({
                ...(await openClient(cluster)),
                path: PATHS.embed,
                bodies: SENTENCES,
                connections: 16,
                maxRequests: 2_000_000,
                maxSeconds: 240,
                keepAlive,
            });
            await Promise.all(COLOURS.map(replacePods));
            const { answered, failures } = await load.stop();
            console.info(
                `${answered} requests answered, ${failures.length} failed, ${connections}`,
            );
            expect(failures).toEqual([]);
            expect(answered).toBeGreaterThan(1000);
        },
        300_000,
    );

    test("Redis deleted costs not one request", async () => {
        const load = startLoad({
            ...(await openClient(cluster)),
            path: PATHS.embed,
            bodies: SENTENCES,
            connections: 16,
            maxRequests: 2_000_000,
            maxSeconds: 120,
            keepAlive: true,
        });
        const namespace = NAMESPACES.data;
        const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", { namespace });
        for (const pod of items) await replacePod(namespace, pod.metadata?.name ?? "");
        const { answered, failures } = await load.stop();
        expect(failures).toEqual([]);
        expect(answered).toBeGreaterThan(1000);
    }, 180_000);
});

/** One after another: a colour keeps its other pods. */
async function replacePods(colour: Colour): Promise<void> {
    for (const pod of await podsOf(cluster, colour)) {
        await replacePod(NAMESPACES[colour], pod.metadata?.name ?? "");
    }
}

/** Deletes a pod with its grace and waits until it is deleted and all pods of its owner are ready again. */
async function replacePod(namespace: string, name: string): Promise<void> {
    const reference = { apiVersion: "v1", kind: "Pod", namespace, name };
    const old = await cluster.objects.read<V1Pod>(reference);
    await cluster.objects.delete(reference);
    await eventually(`pod ${name} is deleted and replaced`, async () => {
        const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", { namespace });
        return (
            !items.some(({ metadata }) => metadata?.uid === old.metadata?.uid) &&
            items.every(({ status }) =>
                status?.conditions?.some(
                    ({ type, status }) => type === "Ready" && status === "True",
                ),
            )
        );
    });
}
