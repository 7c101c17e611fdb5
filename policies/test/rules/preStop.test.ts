import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { configOf } from "../../core/config.ts";
import { objectsOf, type Json } from "../../core/object.ts";
import { podOf } from "../../core/pods.ts";
import { preStop } from "../../rules/preStop.ts";
import { describeRemedy } from "../support/describeRemedy.ts";
import { describeRule } from "../support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../support/manifests.ts";

const bare = container({ lifecycle: undefined });
const stops = (preStop: Json) => deployment(podSpec({}, container({ lifecycle: { preStop } })));
const { Deployment, ReplicaSet, Rollout, StatefulSet, ...others } = ofEachKind(podSpec({}, bare));
const says = (kind: string, name = "service") =>
    `${kind} search/service, container ${name}: has ports and no preStop (spec.template.spec.containers[${name}].lifecycle.preStop)`;

describeRule(preStop, {
    compliant: {
        "a pause": { objects: [deployment()] },
        "a command, and a request": {
            objects: [stops({ exec: { command: ["drain"] } }), stops({ httpGet: { port: 8080 } })],
        },
        "what has no ports": { objects: [deployment(podSpec({}, { ...bare, ports: [] }))] },
        "a sidecar, and an init container": {
            objects: [
                deployment(
                    podSpec({
                        initContainers: [
                            { ...bare, name: "proxy", restartPolicy: "Always" },
                            { ...bare, name: "init" },
                        ],
                    }),
                ),
            ],
        },
        "pods that clients know by themselves": {
            objects: [StatefulSet, ...Object.values(others)],
        },
        "another kind than is asked": { objects: [Deployment], settings: { kinds: ["Rollout"] } },
    },
    violating: {
        "none, behind a Service": {
            objects: [Deployment, ReplicaSet, Rollout],
            says: [says("Deployment"), says("ReplicaSet"), says("Rollout")],
        },
        "a start that has a hook, and an end that has none": {
            objects: [
                deployment(
                    podSpec(
                        {},
                        { ...bare, lifecycle: { postStart: { exec: { command: ["a"] } } } },
                    ),
                ),
            ],
            says: [says("Deployment")],
        },
        "one of two": {
            objects: [deployment(podSpec({}, container(), { ...bare, name: "proxy" }))],
            says: [says("Deployment", "proxy")],
        },
        "a StatefulSet, where it is asked": {
            objects: [StatefulSet],
            settings: { kinds: ["StatefulSet"] },
            says: [says("StatefulSet")],
        },
    },
    needs: {
        case: "a start that has a hook, and an end that has none",
        fields: [
            "0/spec/template/spec/containers/0/ports",
            "0/spec/template/spec/containers/0/lifecycle",
        ],
    },
    ignores: {
        case: "none, behind a Service",
        fields: [
            "0/spec/template/spec/terminationGracePeriodSeconds",
            "0/spec/template/spec/containers/0/image",
            "0/metadata",
        ],
    },
});

const hook = fc.record(
    {
        preStop: fc.constant({ exec: { command: ["drain"] } }),
        postStart: fc.constant({ exec: {} }),
    },
    { requiredKeys: [] },
);
const one = fc.record(
    {
        name: fc.string({ minLength: 1 }),
        ports: fc.array(fc.record({ containerPort: fc.nat() }), { maxLength: 2 }),
        lifecycle: hook,
    },
    { requiredKeys: ["name"] },
);
const containers = fc.array(one, { maxLength: 4 });
const initContainers = fc.array(one, { maxLength: 2 });
const podsWithin = (grace: fc.Arbitrary<number>) =>
    fc.record(
        { containers, initContainers, terminationGracePeriodSeconds: grace },
        { requiredKeys: ["containers"] },
    );

describeRemedy(preStop, { pods: podsWithin(fc.integer({ min: 15, max: 900 })) });

test("the remedy of pre-stop takes no time that the end itself needs", () => {
    const grace = fc.integer({ min: 0, max: 14 });
    fc.assert(
        fc.property(podsWithin(grace), grace, (spec, terminationGracePeriodSeconds) => {
            const object = deployment({ ...spec, terminationGracePeriodSeconds });
            const before = JSON.stringify(object);
            const [pod] = objectsOf(object).map(podOf);
            if (pod) preStop.remedy?.(pod, configOf(preStop).settings as never);
            expect(JSON.stringify(object)).toBe(before);
        }),
    );
});
