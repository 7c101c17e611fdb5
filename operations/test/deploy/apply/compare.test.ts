import { describe, expect, test } from "@jest/globals";
import { differences } from "../../../deploy/apply/compare.ts";

const fieldsOf = (declared: object, live: object) =>
    differences(declared, live).map(({ field }) => field);

/** A container of a Deployment's pods. */
const pods = (container: object) => ({
    spec: { template: { spec: { containers: [{ name: "main", ...container }] } } },
});
const POD = "spec.template.spec.containers[main]";

describe("a missing field is reported", () => {
    test.each([
        [
            "who may come in",
            { spec: { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 1 }] }] } },
            { spec: { ingress: [{ ports: [{ port: 1, protocol: "TCP" }] }] } },
            "spec.ingress[0].from",
        ],
        [
            "a default of a LimitRange",
            { spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } },
            { spec: { limits: [{ type: "Container" }] } },
            "spec.limits[0].default",
        ],
        [
            "a volume of no medium",
            pods({ v: { emptyDir: {} } }),
            pods({ v: {} }),
            `${POD}.v.emptyDir`,
        ],
        [
            "a false that its absence does not mean",
            { automountServiceAccountToken: false },
            {},
            "automountServiceAccountToken",
        ],
        [
            "user 0",
            pods({ securityContext: { runAsUser: 0 } }),
            pods({ securityContext: {} }),
            `${POD}.securityContext.runAsUser`,
        ],
        ["a container", pods({}), { spec: { template: { spec: { containers: [] } } } }, POD],
    ])("%s", (_, declared, live, field) => {
        expect(fieldsOf(declared, live)).toEqual([field]);
    });
});

describe("a differing value is reported with both values", () => {
    test.each([
        ["a scalar", { spec: { type: "A" } }, { spec: { type: "B" } }, "spec.type"],
        [
            "a longer list of rules",
            { rules: [{ verbs: ["get"] }] },
            { rules: [{ verbs: ["get"] }, { verbs: ["*"] }] },
            "rules",
        ],
        [
            "another verb",
            { rules: [{ verbs: ["get"] }] },
            { rules: [{ verbs: ["*"] }] },
            "rules[0].verbs[0]",
        ],
        [
            "one peer more",
            { spec: { ingress: [{ from: [{ a: 1 }] }] } },
            { spec: { ingress: [{ from: [{ a: 1 }, {}] }] } },
            "spec.ingress[0].from",
        ],
        [
            "a weight",
            { spec: { rules: [{ backendRefs: [{ weight: 90 }] }] } },
            { spec: { rules: [{ backendRefs: [{ weight: 80 }] }] } },
            "spec.rules[0].backendRefs[0].weight",
        ],
        [
            "an environment variable",
            pods({ env: [{ name: "A", value: "1" }] }),
            pods({ env: [{ name: "A", value: "2" }] }),
            `${POD}.env[A].value`,
        ],
        [
            "a quantity",
            pods({ resources: { limits: { cpu: "1" } } }),
            pods({ resources: { limits: { cpu: "999m" } } }),
            `${POD}.resources.limits.cpu`,
        ],
        [
            "what looks like a quantity and is a text",
            { data: { a: "1000m" } },
            { data: { a: "1" } },
            "data.a",
        ],
        ["a text and a number", { spec: { port: "80" } }, { spec: { port: 80 } }, "spec.port"],
    ])("%s", (_, declared, live, field) => {
        const [difference, ...more] = differences(declared, live);
        expect(difference?.field).toBe(field);
        expect(difference?.live).toBeDefined();
        expect(more).toEqual([]);
    });
});

describe("no difference is", () => {
    test.each([
        ["a default of the server", pods({}), pods({ terminationMessagePath: "/dev/log" })],
        [
            "a label of somebody else",
            { metadata: { labels: { a: "1" } } },
            { metadata: { labels: { a: "1", b: "2" } } },
        ],
        [
            "a sidecar, an environment variable of a webhook",
            pods({ env: [{ name: "A", value: "1" }] }),
            {
                spec: {
                    template: {
                        spec: {
                            containers: [
                                { name: "injected" },
                                { name: "main", env: [{ name: "Z" }, { name: "A", value: "1" }] },
                            ],
                        },
                    },
                },
            },
        ],
        [
            "CPU in other units",
            pods({ resources: { limits: { cpu: "1000m", memory: "1Gi" } } }),
            pods({ resources: { limits: { cpu: 1, memory: "1024Mi" } } }),
        ],
        [
            "a quota in other units",
            { spec: { hard: { "requests.cpu": "0.5" } } },
            { spec: { hard: { "requests.cpu": "500m" } } },
        ],
        [
            "a zero that is not stored",
            { spec: { template: { spec: { hostNetwork: false } }, minReadySeconds: 0 } },
            { spec: { template: { spec: {} } } },
        ],
        [
            "an empty variable",
            pods({ env: [{ name: "A", value: "" }] }),
            pods({ env: [{ name: "A" }] }),
        ],
        [
            "an empty list or map that is not stored",
            { metadata: { annotations: {} }, spec: { egress: [] } },
            { metadata: {}, spec: {} },
        ],
        ["a field that is not set", { spec: { a: undefined, b: null } }, { spec: {} }],
        [
            "a port by its protocol",
            pods({ ports: [{ containerPort: 1 }] }),
            pods({
                ports: [
                    { containerPort: 2, protocol: "TCP" },
                    { containerPort: 1, protocol: "TCP" },
                ],
            }),
        ],
        [
            "a finalizer of somebody else",
            { metadata: { finalizers: ["a"] } },
            { metadata: { finalizers: ["b", "a"] } },
        ],
    ])("%s", (_, declared, live) => {
        expect(differences(declared, live)).toEqual([]);
    });

    test("a field of another owner, or an unknown value", () => {
        const live = { spec: { replicas: 5, token: "of the cluster" } };
        const declared = { spec: { replicas: 2, token: "masked", gone: "masked" } };
        const ignored = [/^spec\.replicas$/];
        const found = differences(declared, live, {
            ignored,
            isUnknown: (one) => one === "masked",
        });
        expect(found.map(({ field }) => field)).toEqual(["spec.gone"]);
    });
});
