import { checkWeights, type Weights } from "@property-search/contract";
import { BOOLEAN, NAME, pattern, setting } from "@property-search/contract/settings";
import { IMAGE, json, LABEL_VALUE } from "../allowed.ts";

const ID = pattern(
    /^(any|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    "the UID of a namespace kube-system, as the first deploy records it, or any",
);
const WEIGHTS = json<Weights>(
    "object",
    "whole numbers from 0 to 100 for blue and green that sum to 100",
    (value) => {
        const check = checkWeights(value);
        return "errors" in check ? check.errors : [];
    },
);

export const STACK = {
    "cluster.context": setting(NAME, "")`
        Kubeconfig context that the stack is deployed with. The first deploy records it.`,
    "cluster.id": setting(ID, "")`
        UID of the namespace kube-system of the stack's cluster, recorded by the first deploy; deploys to any other
        cluster fail. any: the stack's clusters are temporary, so nothing is compared.`,
    "cluster.protectData": setting(BOOLEAN, true)`
        Whether Pulumi refuses to delete the namespaces that contain volumes.`,
    "blue.image": setting(IMAGE, "", { required: "" })`Image of the blue colour. Required.`,
    "blue.version": setting(LABEL_VALUE, "v1.0.0")`
        Version that blue runs, in labels, headers and metrics.`,
    "green.image": setting(IMAGE, "", { required: "" })`Image of the green colour. Required.`,
    "green.version": setting(LABEL_VALUE, "v2.0.0-enhanced")`
        Version that green runs, in labels, headers and metrics.`,
    "traffic.weights": setting(WEIGHTS, { blue: 100, green: 0 })`
        Percentage of the traffic per colour: whole numbers blue and green whose sum is 100.`,
    "policies.admission": setting(BOOLEAN, true)`
        Whether the API server enforces the policies, by ValidatingAdmissionPolicies (Kubernetes 1.30 or newer).
        policies/stacks/ sets levels, thresholds and exemptions.`,
};
