import { describe, expect, test } from "@jest/globals";
import { isComplete, parseNodes, servingPrimaries } from "../../rehearse/redisNodes.ts";

const PODS = "redis-cluster-pods.property-search-data.svc.cluster.local";

/** Answer of Redis 7: three primaries with a replica each, seen by the first one. */
const NODES = [
    `aa 10.1.0.10:6379@16379,redis-cluster-0.${PODS} myself,master - 0 0 2 connected 0-5460`,
    `bb 10.1.0.11:6379@16379,redis-cluster-1.${PODS} master - 0 1 6 connected 5461-10921`,
    `cc 10.1.0.12:6379@16379,redis-cluster-2.${PODS} master - 0 1 9 connected 10922-16383`,
    `dd 10.1.0.13:6379@16379,redis-cluster-3.${PODS} slave bb 0 1 6 connected`,
    `ee 10.1.0.14:6379@16379,redis-cluster-4.${PODS} slave cc 0 1 9 connected`,
    `ff 10.1.0.15:6379@16379,redis-cluster-5.${PODS} slave aa 0 1 2 connected`,
];
const nodesOf = (change: Readonly<Record<number, string>> = {}) =>
    parseNodes(`${NODES.map((line, index) => change[index] ?? line).join("\r\n")}\r\n`);

describe("nodes of a Redis Cluster", () => {
    test("have their pod, role, primary and slots", () => {
        const nodes = nodesOf();
        expect(nodes).toHaveLength(6);
        expect(nodes[0]).toEqual({
            ...{ id: "aa", pod: "redis-cluster-0", primary: undefined },
            ...{ isPrimary: true, isServing: true, isHealthy: true },
        });
        expect(nodes[3]).toMatchObject({ pod: "redis-cluster-3", primary: "bb", isPrimary: false });
        expect(servingPrimaries(nodes).map(({ id }) => id)).toEqual(["aa", "bb", "cc"]);
        expect(isComplete(nodes)).toBe(true);
    });

    test("are served by a replica after its takeover, and complete once the lost node follows it", () => {
        const lost = `bb 10.1.0.11:6379@16379,redis-cluster-1.${PODS} master,fail - 1 1 6 disconnected`;
        const taken = `dd 10.1.0.13:6379@16379,redis-cluster-3.${PODS} master - 0 1 10 connected 5461-10921`;
        const nodes = nodesOf({ 1: lost, 3: taken });
        expect(servingPrimaries(nodes).map(({ id }) => id)).toEqual(["aa", "cc", "dd"]);
        expect(isComplete(nodes)).toBe(false);
        const back = `bb 10.1.0.31:6379@16379,redis-cluster-1.${PODS} slave dd 0 1 10 connected`;
        expect(isComplete(nodesOf({ 1: back, 3: taken }))).toBe(true);
    });

    test.each([
        ["one is suspected", { 4: NODES[4]?.replace("slave", "slave,fail?") ?? "" }],
        ["one is not connected", { 4: NODES[4]?.replace("connected", "disconnected") ?? "" }],
        ["two replicas follow the same primary", { 3: NODES[3]?.replace("bb 0", "cc 0") ?? "" }],
        ["a primary has no slots", { 2: NODES[2]?.replace(" 10922-16383", "") ?? "" }],
    ])("are not complete while %s", (_, change) => {
        expect(isComplete(nodesOf(change))).toBe(false);
    });
});
