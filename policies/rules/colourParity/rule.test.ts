import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { container, podSpec } from "../../test/support/manifests.ts";
import { colourParity } from "./rule.ts";

type Colour = "blue" | "green";
const COLOUR = "property-search.io/colour";
const VERSION = "app.kubernetes.io/version";

function of(colour: Colour, kind: string, spec: Json, labels: Json = { [COLOUR]: colour }): Json {
    const metadata = { name: `service-${colour}`, namespace: `search-${colour}`, labels };
    return { apiVersion: kind === "Deployment" ? "apps/v1" : "v1", kind, metadata, spec };
}

function deployment(colour: Colour, change: Json = {}, labels: Json = {}): Json {
    const all = { [COLOUR]: colour, ...labels };
    const env = [
        { name: "COLOUR", value: colour },
        { name: "URL", value: `http://service-${colour}.search-${colour}:80` },
    ];
    const template = {
        metadata: { labels: all },
        spec: podSpec({}, container({ env, ...change })),
    };
    return of(colour, "Deployment", { template }, all);
}

const service = (colour: Colour, port = 80) =>
    of(colour, "Service", { ports: [{ port }], selector: { app: `service-${colour}` } });
/** Without a colour label; the namespace determines the colour. */
const policy = (colour: Colour, labels: Json = {}) =>
    of(colour, "NetworkPolicy", { podSelector: {} }, labels);
const both = (make: (colour: Colour) => Json) => [make("blue"), make("green")];
const release = (colour: Colour, version: string, more: Json = {}) =>
    deployment(
        colour,
        { image: `service:${version}`, env: [{ name: "RELEASE", value: `r-${version}` }], ...more },
        { [VERSION]: version },
    );
const BLUE = "search-blue/service-blue";
const GREEN = "search-green/service-green";
const CONTAINER = "spec.template.spec.containers[service]";

describeRule(colourParity, {
    compliant: {
        "two that are the same": {
            objects: [...both(deployment), ...both(service), ...both(policy)],
        },
        "two versions": { objects: [release("blue", "v1.0.0"), release("green", "v1.1.0")] },
        "what may differ": {
            objects: [
                deployment("blue", { workingDir: "/a" }),
                deployment("green", { workingDir: "/b" }),
            ],
            settings: { mayDiffer: ["spec.*.workingDir"] },
        },
        "one colour alone": { objects: [deployment("blue"), service("blue"), policy("blue")] },
        "what is of no colour": {
            objects: [...both(deployment), of("blue", "Service", {}, { [COLOUR]: "teal" })].map(
                (one, index) =>
                    index < 2 ? one : { ...one, metadata: { name: "x", namespace: "edge" } },
            ),
        },
        "a namespace of both colours": {
            objects: [...both(deployment), ...both(service), policy("blue")].map((one) => ({
                ...one,
                metadata: { ...(one.metadata as Json), namespace: "search" },
            })),
        },
    },
    violating: {
        "a value": {
            objects: [service("blue"), service("green", 81)],
            says: [`Service ${BLUE}: has 80, but ${GREEN} has 81 (spec.ports[0].port)`],
        },
        "a text, and a field that one does not have": {
            objects: [
                deployment("blue", { env: [{ name: "TTL", value: "60" }, { name: "OLD" }] }),
                deployment("green", { env: [{ name: "TTL", value: "61" }], tty: true }),
            ],
            says: [
                `Deployment ${BLUE}: has "60", but ${GREEN} has "61" (${CONTAINER}.env[TTL].value)`,
                `Deployment ${BLUE}: has {"name":"OLD"}, but ${GREEN} has none (${CONTAINER}.env[OLD])`,
                `Deployment ${BLUE}: has none, but ${GREEN} has true (${CONTAINER}.tty)`,
            ],
        },
        "an image, where it must not": {
            objects: [release("blue", "v1.0.0"), release("green", "v1.1.0", { image: "other:1" })],
            settings: { mayDiffer: [] },
            says: [
                `Deployment ${BLUE}: has "service:v1.0.0", but ${GREEN} has "other:1" (${CONTAINER}.image)`,
            ],
        },
        "a long value": {
            objects: [
                deployment("blue", { args: ["x".repeat(200)] }),
                deployment("green", { args: [] }),
            ],
            says: [
                `Deployment ${BLUE}: has "${"x".repeat(119)}…, but ${GREEN} has none (${CONTAINER}.args[0])`,
            ],
        },
        "something of one colour only": {
            objects: [...both(deployment), service("blue"), policy("green")],
            says: [
                `Service ${BLUE}: does not exist in green (metadata.name)`,
                `NetworkPolicy ${GREEN}: does not exist in blue (metadata.name)`,
            ],
        },
    },
    needs: {
        case: "a text, and a field that one does not have",
        fields: [
            "0/metadata/labels/property-search.io~1colour",
            "1/metadata/name",
            "1/spec/template/spec/containers/0/env/0/value",
            "0/spec/template/spec/containers/0/ports",
        ],
    },
    ignores: {
        case: "a text, and a field that one does not have",
        fields: [
            "0/spec/template/spec/containers/0/image",
            "1/spec/template/spec/containers/0/image",
        ],
    },
});
