import { describeRule } from "../../test/support/describeRule.ts";
import { deployment, object } from "../../test/support/manifests.ts";
import { apiVersions } from "./rule.ts";

const old = [
    object("extensions/v1beta1", "Ingress"),
    object("extensions/v1beta1", "Deployment"),
    object("policy/v1beta1", "PodSecurityPolicy"),
    object("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"),
];
const removedIn = (kind: string, version: string, minor: number) =>
    `${kind} search/service: uses ${version}, which Kubernetes 1.${minor} removed (apiVersion)`;

describeRule(apiVersions, {
    compliant: {
        "versions that are served": {
            objects: [
                deployment(),
                object("policy/v1", "PodDisruptionBudget"),
                object("storage.k8s.io/v1beta1", "VolumeAttributesClass"),
                object("example.com/v1beta1", "Thing"),
            ],
        },
        "those of before, for a cluster of before": {
            objects: [object("batch/v1beta1", "CronJob"), ...old.slice(3)],
            settings: { minor: 24 },
        },
    },
    violating: {
        "removed versions": {
            objects: old,
            says: [
                removedIn("Ingress", "extensions/v1beta1", 22),
                removedIn("Deployment", "extensions/v1beta1", 16),
                removedIn("PodSecurityPolicy", "policy/v1beta1", 25),
                removedIn("FlowSchema", "flowcontrol.apiserver.k8s.io/v1beta3", 32),
            ],
        },
    },
    needs: { case: "removed versions", fields: [] },
    ignores: { case: "removed versions", fields: ["0/metadata"] },
});
