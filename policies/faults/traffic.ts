import { CERTIFICATES_NAMESPACE, LABELS, NAMESPACES } from "@property-search/contract";
import { inObjects, offByOne, remove, specOf, type Draft, type Fault } from "./fault.ts";

const weighted = ({ spec }: Draft): Draft =>
    spec.rules.find((rule: Draft) => rule.backendRefs?.length > 1);
const isWeighted = (route: Draft) => weighted(route) !== undefined;
const isColour = ({ metadata }: Draft) => metadata.labels?.[LABELS.colour] !== undefined;
const named = (name: string) => (policy: Draft) => policy.metadata.name === name;
/** Namespaces whose pods are an operator's and a chart's: the rendering that is mutated has none. */
const WITHOUT_PODS: readonly string[] = [NAMESPACES.edge, CERTIFICATES_NAMESPACE];
const ROUTE = ["HTTPRoute"];
const route = (name: string, make: (refs: Draft, route: Draft) => void): Fault =>
    inObjects(
        "route-weights",
        ROUTE,
        name,
        (one) => make(weighted(one).backendRefs, one),
        isWeighted,
    );
const parity = (name: string, make: (container: Draft, pod: Draft) => void): Fault =>
    inObjects(
        "colour-parity",
        "Deployment",
        name,
        (one) => make(specOf(one).containers[0], specOf(one)),
        isColour,
    );

/** Faults of what leads requests to pods, and of the two colours. */
export const traffic: readonly Fault[] = [
    inObjects("network-policy", "NetworkPolicy", "no default", remove, named("default-deny")),
    inObjects(
        "network-policy",
        "NetworkPolicy",
        "a default for one way only",
        ({ spec }) => (spec.policyTypes = ["Ingress"]),
        named("default-deny"),
    ),
    inObjects(
        "network-policy",
        "NetworkPolicy",
        "no names resolved",
        remove,
        (policy) => named("allow-dns")(policy) && !WITHOUT_PODS.includes(policy.metadata.namespace),
    ),
    inObjects(
        "service-selector",
        "Service",
        "a selector that is off by one",
        ({ spec }) => offByOne(spec.selector),
        ({ spec }) => spec.selector !== undefined,
    ),
    inObjects(
        "service-selector",
        "Service",
        "a port that no container has",
        ({ spec }) => (spec.ports[0].targetPort = "htttp"),
        ({ spec }) => spec.selector !== undefined && spec.ports?.length > 0,
    ),
    inObjects(
        "service-selector",
        ["Deployment", "StatefulSet"],
        "pods that their own selector does not take",
        ({ spec }) => offByOne(spec.selector.matchLabels),
    ),
    route("weights of 90 and 20", (refs) => {
        refs[0].weight = 90;
        refs[1].weight = 20;
    }),
    route("half a percent", (refs) => {
        refs[0].weight = 99.5;
        refs[1].weight = 0.5;
    }),
    route("a weight that is text", (refs) => (refs[0].weight = `${refs[0].weight}`)),
    route("a weight that is not there", (refs) => delete refs[0].weight),
    route("a backend that is not there", (refs) => (refs[0].name = `${refs[0].name}-1`)),
    route("a backend's port off by one", (refs) => (refs[0].port += 1)),
    route("a backend in the other namespace", (refs) => (refs[0].namespace = refs[1].namespace)),
    route("no Gateway of that name", (_, { spec }) => (spec.parentRefs[0].name += "-1")),
    route("no listener of that name", (_, { spec }) => (spec.parentRefs[0].sectionName = "htttp")),
    inObjects("route-weights", "ReferenceGrant", "no grant", remove),
    inObjects(
        "route-weights",
        "ReferenceGrant",
        "a grant to another namespace",
        ({ spec }) => (spec.from[0].namespace += "-1"),
    ),
    inObjects(
        "route-weights",
        "ReferenceGrant",
        "a grant of another Service",
        ({ spec }) => (spec.to[0].name += "-1"),
    ),
    inObjects(
        "route-weights",
        "ReferenceGrant",
        "a grant to another kind",
        ({ spec }) => (spec.from[0].kind = "GRPCRoute"),
    ),
    parity("another cache lifetime in one colour", ({ env }) => {
        env.find(({ name }: Draft) => name === "CACHE_TTL").value = "60";
    }),
    parity("a variable that one colour does not have", (container) => {
        container.env = container.env.filter(({ name }: Draft) => name !== "CACHE_PRECISION");
    }),
    parity(
        "more memory in one colour",
        ({ resources }) => (resources.limits.memory = resources.requests.memory = "3Gi"),
    ),
    parity(
        "a slower probe in one colour",
        ({ readinessProbe }) => (readinessProbe.periodSeconds += 1),
    ),
    parity("a volume in one colour", (_, pod) =>
        pod.volumes.push({ name: "more", emptyDir: { sizeLimit: "1Mi" } }),
    ),
    inObjects(
        "colour-parity",
        "Service",
        "another port in one colour",
        ({ spec }) => (spec.ports[0].port += 1),
        (one) => isColour(one) && one.spec.ports !== undefined,
    ),
    inObjects(
        "colour-parity",
        "ScaledObject",
        "a higher floor in one colour",
        ({ spec }) => (spec.minReplicaCount += 1),
        isColour,
    ),
    inObjects(
        "colour-parity",
        "PodDisruptionBudget",
        "a budget in one colour only",
        remove,
        isColour,
    ),
];
