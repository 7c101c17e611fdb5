// Not .ts: Pulumi's analyzer loads a pack's .ts files with ts-node, which does not support ES modules of Node.
import { PolicyPack } from "@pulumi/policy";
import { toPulumiPolicies } from "./engine/pack.ts";
import { RULES } from "./rules/index.ts";

new PolicyPack("property-search", {
    displayName: "Property search",
    description: "Policies for the Kubernetes resources of a stack.",
    provider: "kubernetes",
    tags: ["kubernetes", "probes", "resources", "security", "availability", "traffic"],
    policies: toPulumiPolicies(RULES),
});
