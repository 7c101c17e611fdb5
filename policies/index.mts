// Not .ts: Pulumi's analyzer gives a pack's .ts to ts-node, which takes no module that Node takes as it is.
import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "./engine/pack.ts";
import { RULES } from "./rules/index.ts";

new PolicyPack("property-search", {
    displayName: "Property search",
    description: "What every Kubernetes object of a stack has to be.",
    provider: "kubernetes",
    tags: ["kubernetes", "probes", "resources", "security", "availability", "traffic"],
    policies: policiesOf(RULES),
});
