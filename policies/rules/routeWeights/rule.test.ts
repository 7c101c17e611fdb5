import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { deployment, object } from "../../test/support/manifests.ts";
import { routeWeights } from "./rule.ts";

const API = "gateway.networking.k8s.io";
const within = (namespace: string, one: Json, name = "service"): Json => ({
    ...one,
    metadata: { name, namespace },
});
/** A colour's namespace, whole: pods, a Service, and the grant that lets the edge in. */
const colour = (namespace: string): Json[] => [
    within(namespace, deployment()),
    within(namespace, object("v1", "Service", { spec: { ports: [{ port: 80 }] } })),
];
const grant = (namespace: string, from: Json = {}, to: Json = {}) =>
    within(
        namespace,
        object(`${API}/v1beta1`, "ReferenceGrant", {
            spec: {
                from: [{ group: API, kind: "HTTPRoute", namespace: "edge", ...from }],
                to: [{ group: "", kind: "Service", ...to }],
            },
        }),
    );
const backend = (namespace: string, more: Json = {}) => ({
    name: "service",
    namespace,
    port: 80,
    ...more,
});
const route = (backendRefs: readonly Json[], more: Json = {}, kind = "HTTPRoute") =>
    within("edge", object(`${API}/v1`, kind, { spec: { rules: [{ backendRefs }], ...more } }), "r");
const weights = (...all: readonly unknown[]) =>
    route(
        all.map((weight) => ({
            name: "elsewhere",
            port: 80,
            ...(weight === undefined ? {} : { weight }),
        })),
    );
const gateway = (allowedRoutes?: Json) =>
    within(
        "edge",
        object(`${API}/v1`, "Gateway", {
            spec: {
                listeners: [
                    { name: "http", port: 80 },
                    { name: "https", port: 443, ...(allowedRoutes && { allowedRoutes }) },
                ],
            },
        }),
        "public",
    );
const attached = (parent: Json, namespace = "edge") =>
    within(namespace, route([], { parentRefs: [{ name: "public", ...parent }] }), "r");
const selected = (matchLabels: Json) => ({
    namespaces: { from: "Selector", selector: { matchLabels } },
});
const shop = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", labels: { a: "b" } },
};
const settings = { sum: 100 };
const fromShop = { namespace: "edge", sectionName: "https" };
const AT = "spec.rules[0].backendRefs";

describeRule(routeWeights, {
    compliant: {
        "two colours that are let in": {
            objects: [
                ...colour("blue"),
                ...colour("green"),
                grant("blue"),
                grant("green", {}, { name: "service" }),
                route([backend("blue", { weight: 100 }), backend("green", { weight: 0 })]),
            ],
            settings,
        },
        "weights of any sum, or none, by default": {
            objects: [weights(8, 2), weights(undefined, undefined)],
        },
        "a single one without a weight": { objects: [weights(undefined)], settings },
        "backends outside the stack": {
            objects: [
                within("green", deployment()),
                route([backend("blue"), { kind: "S3Bucket", group: "example.com", name: "x" }]),
            ],
        },
        "a Service of the same namespace": {
            objects: [
                within("edge", deployment()),
                within("edge", object("v1", "Service", { spec: { type: "ExternalName" } })),
                route([{ name: "service", port: 80 }]),
            ],
        },
        "a route that is applied to some namespace or other": {
            objects: [
                ...colour("blue"),
                gateway({ namespaces: { from: "Same" } }),
                within("", route([backend("blue")]), "r"),
                within("", attached({ namespace: "edge" }), "r"),
            ],
        },
        "listeners that take it": {
            objects: [
                gateway(),
                attached({}),
                attached({ sectionName: "https", port: 443 }),
                attached({ namespace: "another" }),
                attached({ kind: "Service", group: "", name: "mesh" }),
                attached({ name: "waypoint", kind: "ListenerSet" }),
            ],
        },
        "a Gateway for all namespaces": {
            objects: [gateway({ namespaces: { from: "All" } }), attached(fromShop, "shop")],
        },
        "a Gateway for its namespace, by label or by name": {
            objects: [
                gateway(selected({ a: "b", "kubernetes.io/metadata.name": "shop" })),
                shop,
                attached(fromShop, "shop"),
                attached(fromShop, "not-shown"),
            ],
        },
    },
    violating: {
        "weights that are none": {
            objects: [weights(99.5, "1", -1)],
            says: [99.5, '"1"', -1].map(
                (weight, index) =>
                    `HTTPRoute edge/r: has a weight of ${weight}; allowed: an integer from 0 to 1000000 (${AT}[${index}].weight)`,
            ),
        },
        "weights of another sum": {
            objects: [weights(90, 20)],
            settings,
            says: [
                `HTTPRoute edge/r: has weights with a sum of 110 (90 + 20); allowed: 100 (${AT})`,
            ],
        },
        "a weight that is not there": {
            objects: [weights(90, undefined)],
            says: [
                `HTTPRoute edge/r: has a backend without a weight, which counts as 1 of 91 (${AT}[1].weight)`,
            ],
        },
        "no weights, where they have to add up": {
            objects: [weights(undefined, undefined)],
            settings,
            says: [
                `HTTPRoute edge/r: has a backend without a weight, which counts as 1 of 2 (${AT}[0].weight)`,
            ],
        },
        "weights of 0 only": {
            objects: [weights(0, 0), weights(0)],
            settings,
            says: [0, 1].map(
                () => `HTTPRoute edge/r: sends no requests: all weights are 0 (${AT})`,
            ),
        },
        "a Service or a port that is not there": {
            objects: [
                ...colour("blue"),
                grant("blue"),
                route([backend("blue", { name: "servce" })]),
                route([backend("blue", { port: 81 })]),
            ],
            says: [
                `HTTPRoute edge/r: refers to Service blue/servce, which does not exist (${AT}[0].name)`,
                `HTTPRoute edge/r: refers to port 81 of Service blue/service, which has 80 (${AT}[0].port)`,
            ],
        },
        "no grant, or of another kind, namespace or Service": {
            objects: [
                ...colour("blue"),
                grant("green"),
                grant("blue", { kind: "GRPCRoute" }),
                grant("blue", { namespace: "other" }),
                grant("blue", {}, { name: "other" }),
                route([backend("blue")]),
                route([backend("blue")], {}, "TCPRoute"),
            ],
            says: ["HTTPRoute", "TCPRoute"].map(
                (kind) =>
                    `${kind} edge/r: refers to Service blue/service without a ReferenceGrant in its namespace for ${kind}s of edge (${AT}[0])`,
            ),
        },
        "a Gateway or a listener that is not there": {
            objects: [
                gateway(),
                attached({ name: "publc" }),
                attached({ sectionName: "htps" }),
                attached({ port: 8080 }),
            ],
            says: [
                "HTTPRoute edge/r: refers to Gateway edge/publc, which does not exist (spec.parentRefs[0].name)",
                "HTTPRoute edge/r: refers to listener htps of Gateway edge/public, which has http, https (spec.parentRefs[0].sectionName)",
                "HTTPRoute edge/r: refers to listener port 8080 of Gateway edge/public, which has http, https (spec.parentRefs[0].sectionName)",
            ],
        },
        "a listener for other namespaces": {
            objects: [
                gateway(selected({ a: "c" })),
                shop,
                attached(fromShop, "shop"),
                attached({ namespace: "edge", sectionName: "http" }, "shop"),
            ],
            says: [0, 1].map(
                () =>
                    "HTTPRoute shop/r: refers to Gateway edge/public, whose listener accepts no routes from namespace shop (spec.parentRefs[0])",
            ),
        },
    },
    needs: {
        case: "no grant, or of another kind, namespace or Service",
        fields: [
            "2/metadata/namespace",
            "3/spec/from/0/kind",
            "5/spec/to/0/name",
            "6/spec/rules/0/backendRefs/0/name",
        ],
    },
    ignores: {
        case: "a Service or a port that is not there",
        fields: ["0/spec/replicas", "0/spec/template/spec/containers", "3/metadata/name"],
    },
});
