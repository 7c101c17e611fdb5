import fc from "fast-check";
import type { Json } from "../../core/object.ts";
import { gracePeriod } from "../../rules/gracePeriod.ts";
import { describeRemedy } from "../support/describeRemedy.ts";
import { describeRule } from "../support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../support/manifests.ts";

const AT = "spec.template.spec.terminationGracePeriodSeconds";
const pauses = (name: string, preStop: Json) => container({ name, lifecycle: { preStop } });
const sleeps = (seconds: number, name = "service") => pauses(name, { sleep: { seconds } });
const runs = (...command: string[]) => pauses("service", { exec: { command } });
const within = (grace: number | undefined, ...containers: Json[]) =>
    podSpec({ terminationGracePeriodSeconds: grace }, ...containers);
const says = (grace: string | number, seconds: number, least: number, name = "service") =>
    `Deployment search/service: has ${typeof grace === "number" ? "" : "the default "}terminationGracePeriodSeconds ${grace}, of which container ${name} sleeps ${seconds} in preStop; allowed: ${least} or more (${AT})`;
const { Job } = ofEachKind(within(15, sleeps(10)));

describeRule(gracePeriod, {
    compliant: {
        "time for both": { objects: [deployment(within(20, sleeps(10)))] },
        "the default, and a short pause": { objects: [deployment(within(undefined, sleeps(20)))] },
        "no time, and no pause": {
            objects: [deployment(within(0, container({ lifecycle: undefined })))],
        },
        "a pause that nobody can tell": {
            objects: [
                deployment(within(1, runs("drain", "--all"))),
                deployment(within(1, pauses("service", { httpGet: { port: 8080 } }))),
            ],
        },
        "no margin, where none is asked": {
            objects: [deployment(within(10, sleeps(10)))],
            settings: { margin: 0 },
        },
    },
    violating: {
        "time for the pause alone": {
            objects: [deployment(within(19, sleeps(10)))],
            says: [says(19, 10, 20)],
        },
        "a pause as long as the default": {
            objects: [deployment(within(undefined, sleeps(30)))],
            says: [says("30", 30, 40)],
        },
        "a pause by a command": {
            objects: [
                deployment(within(20, runs("sleep", "15"))),
                deployment(within(20, runs("/bin/sh", "-c", "drain && sleep 15"))),
            ],
            says: [says(20, 15, 25), says(20, 15, 25)],
        },
        "the longest of the pauses": {
            objects: [
                deployment(within(20, sleeps(2, "a"), sleeps(11, "b"), sleeps(3, "c"))),
                deployment({
                    ...within(20),
                    initContainers: [{ ...sleeps(12, "proxy"), restartPolicy: "Always" }],
                }),
            ],
            says: [says(20, 11, 21, "b"), says(20, 12, 22, "proxy")],
        },
        "a job": {
            objects: [Job],
            says: [says(15, 10, 20).replace("Deployment", "Job")],
        },
        "a margin of one's own": {
            objects: [deployment(within(45, sleeps(10)))],
            settings: { margin: 40 },
            says: [says(45, 10, 50)],
        },
    },
    needs: {
        case: "time for the pause alone",
        fields: [
            "0/spec/template/spec/terminationGracePeriodSeconds",
            "0/spec/template/spec/containers/0/lifecycle",
            "0/spec/template/spec/containers/0/lifecycle/preStop/sleep/seconds",
        ],
    },
    ignores: {
        case: "time for the pause alone",
        fields: [
            "0/spec/template/spec/containers/0/name",
            "0/spec/template/spec/containers/0/ports",
            "0/metadata",
        ],
    },
});

const pause = fc.oneof(
    fc.record({ sleep: fc.record({ seconds: fc.nat({ max: 600 }) }) }),
    fc.nat({ max: 600 }).map((seconds) => ({ exec: { command: ["sleep", `${seconds}`] } })),
    fc.constant({ exec: { command: ["drain"] } }),
);
const lifecycle = fc.record({ preStop: pause }, { requiredKeys: [] });
const containers = fc.array(fc.record({ name: fc.string(), lifecycle }), { maxLength: 4 });
const terminationGracePeriodSeconds = fc.nat({ max: 900 });

describeRemedy(gracePeriod, {
    pods: fc.record(
        { containers, terminationGracePeriodSeconds },
        { requiredKeys: ["containers"] },
    ),
    // What was set is kept, and found.
    left: [/has terminationGracePeriodSeconds \d+, of which/],
});

describeRemedy(gracePeriod, {
    pods: fc.record({ containers }),
    settings: { margin: 60 },
});
