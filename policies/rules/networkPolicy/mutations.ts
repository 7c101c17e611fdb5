import { CERTIFICATES_NAMESPACE, NAMESPACES } from "@property-search/contract";
import { objectMutation, remove, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

const named = (name: string) => (policy: Draft) => policy.metadata.name === name;
/** Namespaces whose pods are an operator's and a chart's: the rendering that is mutated has none. */
const WITHOUT_PODS: readonly string[] = [NAMESPACES.edge, CERTIFICATES_NAMESPACE];

export const mutations: readonly RuleMutation[] = [
    objectMutation("NetworkPolicy", "no default", remove, named("default-deny")),
    objectMutation(
        "NetworkPolicy",
        "a default for one way only",
        ({ spec }) => (spec.policyTypes = ["Ingress"]),
        named("default-deny"),
    ),
    objectMutation(
        "NetworkPolicy",
        "no names resolved",
        remove,
        (policy) => named("allow-dns")(policy) && !WITHOUT_PODS.includes(policy.metadata.namespace),
    ),
];
