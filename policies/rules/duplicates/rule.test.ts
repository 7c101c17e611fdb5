import { describeRule } from "../../test/support/describeRule.ts";
import { deployment, object } from "../../test/support/manifests.ts";
import { duplicates } from "./rule.ts";

const named = (name: string, namespace = "search") => ({ metadata: { name, namespace } });

describeRule(duplicates, {
    compliant: {
        "names that differ, by namespace and kind too": {
            objects: [
                deployment(),
                object("v1", "Service"),
                object("v1", "ConfigMap", named("a")),
                object("v1", "ConfigMap", named("b")),
                object("v1", "ConfigMap", named("a", "other")),
                object("serving.knative.dev/v1", "Service"),
            ],
        },
        "names that the server makes up": {
            objects: [1, 2].map(() => ({
                ...object("batch/v1", "Job"),
                metadata: { generateName: "once-", namespace: "search" },
            })),
        },
    },
    violating: {
        "two of one name": {
            objects: [object("v1", "ConfigMap"), deployment(), object("v1", "ConfigMap")],
            says: [
                "ConfigMap search/service: is defined 2 times; allowed: one object per name (metadata.name)",
            ],
        },
        "one in two versions of its group": {
            objects: [
                object("autoscaling/v1", "HorizontalPodAutoscaler"),
                object("autoscaling/v2", "HorizontalPodAutoscaler"),
            ],
            says: [
                "HorizontalPodAutoscaler search/service: is defined 2 times; allowed: one object per name (metadata.name)",
            ],
        },
    },
    needs: { case: "two of one name", fields: ["2/metadata/name"] },
    ignores: { case: "two of one name", fields: ["1/spec"] },
});
