import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { propertyRuns } from "../../../tests/support/property.ts";
import { parseRuleConfig } from "../../engine/config.ts";
import { toObjects, type Json } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { describeRule, outcomeOf } from "../../test/support/describeRule.ts";
import {
    container,
    deployment,
    LABELS,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { rollingUpdate } from "./rule.ts";

const AT = "spec.strategy";
const rolls = (maxUnavailable: unknown, maxSurge: unknown, more: Json = {}) =>
    deployment(podSpec(), {
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable, maxSurge } },
        ...more,
    });
const without = (replicas: number | undefined, pod = podSpec()) =>
    deployment(pod, { strategy: undefined, replicas });
const recreated = (pod = podSpec()) => deployment(pod, { strategy: { type: "Recreate" } });
const says = (what: string, field: string) =>
    `Deployment search/service: has ${what} (${AT}.${field})`;
const unavailable = (value: string) =>
    says(`maxUnavailable ${value}; allowed: 0`, "rollingUpdate.maxUnavailable");
const surge = (value: string) =>
    says(`maxSurge ${value}; allowed: more than 0`, "rollingUpdate.maxSurge");
const { StatefulSet, DaemonSet, Rollout, Pod } = ofEachKind(podSpec());
const claim = { name: "data", persistentVolumeClaim: { claimName: "data" } };

describeRule(rollingUpdate, {
    compliant: {
        "none missing, and one more": { objects: [deployment(), rolls(0, "25%")] },
        "none missing, and more by default": {
            objects: [
                deployment(podSpec(), { strategy: { rollingUpdate: { maxUnavailable: 0 } } }),
            ],
        },
        "a percentage of few replicas, which is none": {
            objects: [without(1), without(3), rolls("49%", 1)],
        },
        "0 %, where 0 has to be written": {
            objects: [rolls("0%", 1)],
            settings: { explicit: true },
        },
        "a workload without ports": {
            objects: [recreated(podSpec({}, container({ ports: [] })))],
        },
        "a volume or a port of the node, which one pod has at a time": {
            objects: [
                recreated(podSpec({ volumes: [{ name: "tmp", emptyDir: {} }, claim] })),
                recreated(podSpec({ hostNetwork: true })),
                recreated(podSpec({}, container({ ports: [{ containerPort: 80, hostPort: 80 }] }))),
            ],
        },
        "other kinds": { objects: [StatefulSet, DaemonSet, Rollout, Pod] },
    },
    violating: {
        Recreate: {
            objects: [recreated()],
            says: [says("strategy Recreate; allowed: RollingUpdate", "type")],
        },
        "one missing": { objects: [rolls(1, 1)], says: [unavailable("1")] },
        "a quarter missing, by default": {
            objects: [without(4), without(undefined)],
            says: [unavailable("25% by default"), unavailable("25% by default")],
        },
        "a percentage of few replicas, where 0 has to be written": {
            objects: [without(1)],
            settings: { explicit: true },
            says: [unavailable("25% by default")],
        },
        "no room for another": {
            objects: [rolls(0, 0), rolls("50%", "0%")],
            says: [surge("0"), unavailable("50%"), surge("0%")],
        },
    },
    needs: {
        case: "no room for another",
        fields: [
            "0/spec/strategy",
            "0/spec/strategy/rollingUpdate/maxSurge",
            "0/spec/template/spec/containers/0/ports",
            "0/spec/replicas",
        ],
    },
    ignores: {
        case: "no room for another",
        fields: [
            "0/metadata",
            "0/spec/template/metadata",
            "0/spec/template/spec/containers/0/name",
        ],
    },
});

const share = fc.oneof(
    fc.nat({ max: 3 }),
    fc.nat({ max: 100 }).map((percent) => `${percent}%`),
);
const strategy = fc.record(
    {
        type: fc.constantFrom("RollingUpdate", "Recreate"),
        rollingUpdate: fc.record({ maxUnavailable: share, maxSurge: share }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
);
const specs = fc.record({ strategy, replicas: fc.nat({ max: 9 }) }, { requiredKeys: [] });

function remedied(spec: Json, kind = "Deployment"): Json {
    const template = { metadata: { labels: LABELS }, spec: podSpec() };
    const copy = JSON.parse(JSON.stringify({ ...spec, template })) as Json;
    const [pod] = toObjects(object("apps/v1", kind, { spec: copy })).map(getPod);
    if (pod) rollingUpdate.remediate?.(pod, parseRuleConfig(rollingUpdate).settings as never);
    return copy;
}

test("remediation by rolling-update keeps existing values, fixes missing ones and is idempotent", () => {
    fc.assert(
        fc.property(specs, (spec) => {
            const after = remedied(spec);
            expect(after).toMatchObject(spec);
            expect(remedied(after)).toEqual(after);
            const { strategy } = spec as { strategy?: { rollingUpdate?: Json } };
            const { maxUnavailable, maxSurge } = strategy?.rollingUpdate ?? {};
            const objects = [object("apps/v1", "Deployment", { spec: after })];
            const { violations } = outcomeOf(rollingUpdate, { objects });
            const missing = violations.filter(({ finding }) => finding.isMissing);
            const isSet = maxUnavailable !== undefined || maxSurge === 0 || maxSurge === "0%";
            expect(missing.length === 0 || isSet).toBe(true);
        }),
        propertyRuns(),
    );
});

test("remediation by rolling-update changes only Deployments", () => {
    expect(remedied({}, "StatefulSet")).not.toHaveProperty("strategy");
    expect(remedied({})).toHaveProperty("strategy", { rollingUpdate: { maxUnavailable: 0 } });
});
