import type { V1TopologySpreadConstraint } from "@kubernetes/client-node";
import { Type } from "typebox";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { getPod, type Pod } from "../../kubernetes/pods.ts";
import { REPLICATED_KINDS, countMinReplicas, formatReplicas } from "../../kubernetes/scalers.ts";
import { REVISION_LABEL, hasAntiAffinity, createSpread, selects } from "./spread.ts";

export const topologySpread = stackRule({
    name: "topology-spread",
    title: "Workloads with two or more replicas are spread over nodes, by a selector that matches their pods.",
    why: "Replicas on the same node fail together. A selector that does not match its own pods silently spreads nothing.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    settings: {
        required: Type.Boolean({
            default: false,
            description: "whether pods must be spread explicitly, beyond the scheduler's default",
        }),
        perRevision: Type.Boolean({
            default: false,
            description: "whether a Deployment's constraints must ignore pods of other revisions",
        }),
    },
    kinds: REPLICATED_KINDS,
    *check(object, stack, { required, perRevision }) {
        const pod = getPod(object);
        const fewest = countMinReplicas(object, stack);
        if (!pod || !(fewest >= 2)) return;
        const { topologySpreadConstraints: constraints = [] } = pod.spec;
        const path = `${pod.path}.topologySpreadConstraints`;
        if (required && constraints.length === 0 && !hasAntiAffinity(pod)) {
            const message = `has ${formatReplicas(fewest)} or more that may all run on one node`;
            yield { message, path, isMissing: true, fix: createSpread(pod) };
        }
        const revised = perRevision && object.kind === "Deployment";
        for (const [index, constraint] of constraints.entries()) {
            for (const finding of checkConstraint(pod, constraint, revised)) {
                yield {
                    ...finding,
                    path: `${path}[${index}].${finding.path}`,
                    fix: createSpread(pod),
                };
            }
        }
    },
});

function* checkConstraint(
    { labels }: Pod,
    { labelSelector, matchLabelKeys = [] }: V1TopologySpreadConstraint,
    revised: boolean,
): Generator<Finding> {
    if (!selects(labelSelector, labels)) {
        yield {
            message: "is spread by a selector that does not match its pods",
            path: "labelSelector",
        };
    }
    if (revised && !matchLabelKeys.includes(REVISION_LABEL)) {
        const message = `is spread together with pods of other revisions: matchLabelKeys lacks ${REVISION_LABEL}`;
        yield { message, path: "matchLabelKeys" };
    }
}
