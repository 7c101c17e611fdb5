import { expect, test } from "@jest/globals";
import { allowedConnections } from "../../config/traffic.ts";
import { loadStack } from "../support/loadStack.ts";

const OPERATOR = {
    "prometheus.source": "operator",
    "prometheus.url": "http://prometheus-operated.monitoring.svc:9090",
    "prometheus.namespace": "monitoring",
    "network.destinations":
        '{"prometheus":[{"namespace":"monitoring","podLabels":{},"port":9090}]}',
};

test("an existing Prometheus scrapes from its own namespace, and the autoscaler queries it", () => {
    const config = loadStack(OPERATOR);
    expect(allowedConnections(config).monitoring.existingNamespace).toBe("monitoring");
    expect(config.autoscaling.misses?.prometheus).toEqual({
        url: OPERATOR["prometheus.url"],
        authorized: false,
    });
    // Those of our own are missing on purpose.
    expect(config.monitoring.thresholds.jobs).not.toContain("prometheus");
});

test("by default the stack brings its own", () => {
    const config = loadStack({});
    expect(config.monitoring.existing).toBeUndefined();
    expect(config.autoscaling.misses?.prometheus).toBeUndefined();
});

test.each([
    [{ "prometheus.source": "operator" }, "prometheus.url is not set"],
    [{ "prometheus.source": "operator" }, "prometheus.namespace is not set"],
    [
        { "prometheus.url": "https://a.example" },
        "prometheus.url is set; allowed: not set, since prometheus.source is stack",
    ],
    [
        { ...OPERATOR, "prometheus.namespace": "openshift-user-workload-monitoring" },
        "keeps each monitor to its own namespace; allowed: another, or prometheus.source: stack",
    ],
    [{ ...OPERATOR, "prometheus.url": "https://a.b.svc" }, "http inside the cluster"],
    [{ ...OPERATOR, "prometheus.url": "http://prometheus.example" }, "https elsewhere"],
    [
        { ...OPERATOR, "prometheus.url": "http://a.b.svc/?x=1" },
        'prometheus.url is "http://a.b.svc/?x=1"',
    ],
    [
        { ...OPERATOR, "prometheus.labels": "release" },
        'prometheus.labels is "release"; allowed: an object of label keys',
    ],
    [{ ...OPERATOR, "prometheus.labels": '{"a":1}' }, "prometheus.labels has a: 1"],
    [
        { ...OPERATOR, "alerts.webhookUrl": "https://a.example" },
        "alerts.webhookUrl is set; allowed: not set, since prometheus.source is operator",
    ],
])("%j: %s", (change, finding) => {
    expect(() => loadStack(change)).toThrow(finding);
});
