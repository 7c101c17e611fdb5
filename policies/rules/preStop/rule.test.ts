import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseRuleConfig } from "../../engine/config.ts";
import { toObjects } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { describeRemediation } from "../../test/support/describeRemediation.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { preStop } from "./rule.ts";

const AT = "spec.template.spec.containers[service].lifecycle.preStop";
const bare = container({ lifecycle: undefined });
const { Job, StatefulSet } = ofEachKind(podSpec({}, bare));
const says = (kind: string) => [
    `${kind} search/service, container service: serves requests and has no preStop hook (${AT})`,
];

describeRule(preStop, {
    compliant: {
        "a container that waits": { objects: [deployment()] },
        "one that runs a command first": {
            objects: [
                deployment(
                    podSpec(
                        {},
                        container({ lifecycle: { preStop: { exec: { command: ["drain"] } } } }),
                    ),
                ),
            ],
        },
        "a container without ports": {
            objects: [deployment(podSpec({}, container({ ports: [], lifecycle: undefined })))],
        },
        "what runs to its end": { objects: [Job] },
        "a workload that is not named": {
            objects: [deployment(podSpec({}, bare))],
            settings: { workloads: ["other-*"] },
        },
    },
    violating: {
        "one without a preStop hook": {
            objects: [deployment(podSpec({}, bare))],
            says: says("Deployment"),
        },
        "a workload that is named": {
            objects: [StatefulSet],
            settings: { workloads: ["serv*"] },
            says: says("StatefulSet"),
        },
        "a sidecar, with a container that has a hook": {
            objects: [
                deployment(
                    podSpec({
                        initContainers: [{ ...bare, name: "proxy", restartPolicy: "Always" }],
                    }),
                ),
            ],
            says: [
                "Deployment search/service, container proxy: serves requests and has no preStop hook (spec.template.spec.initContainers[proxy].lifecycle.preStop)",
            ],
        },
    },
    needs: {
        case: "one without a preStop hook",
        fields: ["0/spec", "0/spec/template/spec/containers/0/ports"],
    },
    ignores: {
        case: "one without a preStop hook",
        fields: ["0/metadata", "0/spec/replicas", "0/spec/template/spec/containers/0/image"],
    },
});

const lifecycles = fc.constantFrom(
    undefined,
    {},
    { postStart: { exec: { command: ["warm"] } } },
    { preStop: { exec: { command: ["drain"] } } },
    { preStop: { sleep: { seconds: 1 } } },
);

describeRemediation(preStop, {
    pods: fc
        .array(
            fc.record({
                lifecycle: lifecycles,
                ports: fc.constantFrom([], [{ containerPort: 1 }]),
            }),
            {
                minLength: 1,
                maxLength: 3,
            },
        )
        .map((changes) => podSpec({}, ...changes.map((change) => container(change)))),
});

test.each([
    { grace: 9, seconds: 5, isSet: false },
    { grace: 10, seconds: 5, isSet: true },
    { grace: undefined, seconds: 15, isSet: true },
    { grace: undefined, seconds: 16, isSet: false },
])(
    "remediation by pre-stop leaves as much time after the hook as the hook takes: %o",
    ({ grace, seconds, isSet }) => {
        const change = { terminationGracePeriodSeconds: grace };
        const [pod] = toObjects(deployment(podSpec(change, { ...bare }))).map(getPod);
        if (pod) preStop.remediate?.(pod, parseRuleConfig(preStop, { seconds }).settings as never);
        expect(pod?.containers[0]?.spec.lifecycle !== undefined).toBe(isSet);
    },
);
