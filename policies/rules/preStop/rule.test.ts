import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { configOf } from "../../engine/config.ts";
import { objectsOf } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { describeRemedy } from "../../test/support/describeRemedy.ts";
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
        "a container that nobody talks to": {
            objects: [deployment(podSpec({}, container({ ports: [], lifecycle: undefined })))],
        },
        "what runs to its end": { objects: [Job] },
        "a workload that is not named": {
            objects: [deployment(podSpec({}, bare))],
            settings: { workloads: ["other-*"] },
        },
    },
    violating: {
        "one that ends at once": {
            objects: [deployment(podSpec({}, bare))],
            says: says("Deployment"),
        },
        "a workload that is named": {
            objects: [StatefulSet],
            settings: { workloads: ["serv*"] },
            says: says("StatefulSet"),
        },
        "a sidecar, beside a container that waits": {
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
        case: "one that ends at once",
        fields: ["0/spec", "0/spec/template/spec/containers/0/ports"],
    },
    ignores: {
        case: "one that ends at once",
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

describeRemedy(preStop, {
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
    "the remedy of pre-stop leaves the end as long as its pause: %o",
    ({ grace, seconds, isSet }) => {
        const change = { terminationGracePeriodSeconds: grace };
        const [pod] = objectsOf(deployment(podSpec(change, { ...bare }))).map(podOf);
        if (pod) preStop.remedy?.(pod, configOf(preStop, { seconds }).settings as never);
        expect(pod?.containers[0]?.spec.lifecycle !== undefined).toBe(isSet);
    },
);
