import { CERTIFICATES_NAMESPACE, NAMESPACES } from "@property-search/contract";
import { inObjects, remove, type Draft, type Fault } from "../../faults/fault.ts";

const named = (name: string) => (policy: Draft) => policy.metadata.name === name;
/** Namespaces whose pods are an operator's and a chart's: the rendering that is mutated has none. */
const WITHOUT_PODS: readonly string[] = [NAMESPACES.edge, CERTIFICATES_NAMESPACE];

export const faults: readonly Fault[] = [
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
];
