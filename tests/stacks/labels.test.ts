import { describe, expect, test } from "@jest/globals";
import { loadStack } from "../support/loadStack.ts";

/** Every key that takes labels, with one of them as its value. */
const READERS: Readonly<Record<string, (key: string, value: string) => string>> = {
    "edge.controllerPodLabels": (key, value) => `${key}=${value}`,
    "prometheus.labels": (key, value) => JSON.stringify({ [key]: value }),
    "workloads.labels": (key, value) => JSON.stringify({ [key]: value }),
    "workloads.nodeSelector": (key, value) => JSON.stringify({ [key]: value }),
    "workloads.tolerations": (key, value) => JSON.stringify([{ key, value }]),
    "network.destinations": (key, value) =>
        JSON.stringify({ dns: [{ namespace: "dns", podLabels: { [key]: value } }] }),
};

/** What IsQualifiedName and IsValidLabelValue of k8s.io/apimachinery/pkg/util/validation accept. */
const VALID = [
    ["team", "search"],
    ["team", ""],
    ["A_b.c-D", "1_2.3-x"],
    ["a".repeat(63), "V".repeat(63)],
    ["example.com/team", "a"],
    ["a-b.c1/9", "a"],
    // A label of a domain may be longer than DNS allows, as long as the whole is not.
    [`${"a".repeat(253)}/n`, "a"],
    [`${"a.".repeat(126)}b/${"n".repeat(63)}`, "a"],
] as const;

const INVALID = [
    ...["", "/a", "a/", "a/b/c", "a b", "-a", "a-", "_a", "a".repeat(64), "ä", "a\n"],
    ...["A.b/c", "-a/c", "a-/c", "a./c", ".a/c", "a..b/c", "a.-b/c", "a_b/c"],
    ...[`${"a".repeat(254)}/n`, `a.b/${"n".repeat(64)}`],
].map((key) => [key, "v"] as const);
const INVALID_VALUES = ["-v", "v-", "v v", ".v", "v/w", "ä", "v".repeat(64), "v\n"];

const OPERATOR = {
    "prometheus.source": "operator",
    "prometheus.url": "http://prometheus-operated.monitoring.svc:9090",
    "prometheus.namespace": "monitoring",
    "insights.enabled": "false",
};

function load(change: Readonly<Record<string, string>>): void {
    loadStack({ ...OPERATOR, ...change });
}

describe.each(Object.entries(READERS))("%s", (name, write) => {
    test.each(VALID)("takes %s: %s", (key, value) => {
        expect(() => load({ [name]: write(key, value) })).not.toThrow();
    });

    test.each([...INVALID, ...INVALID_VALUES.map((value) => ["team", value] as const)])(
        "rejects %j: %j",
        (key, value) => {
            expect(() => load({ [name]: write(key, value) })).toThrow(name);
        },
    );
});

test.each([
    ["edge.controllerPodLabels", "app=a,app=b"],
    ["edge.controllerPodLabels", "app=a="],
    ["edge.controllerPodLabels", "app=a,"],
    ["workloads.tolerations", '[{"key":null,"value":"a"}]'],
    ["workloads.tolerations", '[{"key":1,"value":"a"}]'],
    ["workloads.labels", '{"team":null}'],
    ["workloads.nodeSelector", "null"],
    ["prometheus.labels", "null"],
    ["prometheus.labels", '["a"]'],
])("%s = %s is rejected", (key, value) => {
    expect(() => load({ [key]: value })).toThrow(key);
});
