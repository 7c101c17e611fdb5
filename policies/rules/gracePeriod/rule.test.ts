import fc from "fast-check";
import { describeRemediation } from "../../test/support/describeRemediation.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { gracePeriod } from "./rule.ts";

const pausing = (seconds: number) => container({ lifecycle: { preStop: { sleep: { seconds } } } });
const pod = (grace: number | undefined, seconds: number) =>
    podSpec({ terminationGracePeriodSeconds: grace }, pausing(seconds));
const AT = "spec.template.spec.terminationGracePeriodSeconds";
const { CronJob } = ofEachKind(pod(3, 0));

describeRule(gracePeriod, {
    compliant: {
        "just enough": { objects: [deployment(pod(15, 10))] },
        "the default, which is enough": { objects: [deployment(pod(undefined, 25))] },
        "little time, and no pause": { objects: [CronJob] },
        "a command, whose duration is unknown": {
            objects: [
                deployment(
                    podSpec(
                        { terminationGracePeriodSeconds: 1 },
                        container({ lifecycle: { preStop: { exec: { command: ["drain"] } } } }),
                    ),
                ),
            ],
        },
    },
    violating: {
        "less than the pause": {
            objects: [deployment(pod(5, 10))],
            says: [
                `Deployment search/service: has a grace period of 5 s, of which preStop takes 10 s; allowed: at least 15 s (${AT})`,
            ],
        },
        "the default, which is not enough": {
            objects: [deployment(pod(undefined, 60))],
            says: [
                `Deployment search/service: has a grace period of 30 s, of which preStop takes 60 s; allowed: at least 65 s (${AT})`,
            ],
        },
        "less than the stack wants to be left": {
            objects: [deployment(pod(30, 10))],
            settings: { marginSeconds: 30 },
            says: [
                `Deployment search/service: has a grace period of 30 s, of which preStop takes 10 s; allowed: at least 40 s (${AT})`,
            ],
        },
    },
    needs: {
        case: "less than the pause",
        fields: [
            "0/spec/template/spec/terminationGracePeriodSeconds",
            "0/spec/template/spec/containers/0/lifecycle",
        ],
    },
    ignores: {
        case: "less than the pause",
        fields: ["0/metadata", "0/spec/template/spec/containers/0/image"],
    },
});

describeRemediation(gracePeriod, {
    pods: fc
        .record({ grace: fc.option(fc.nat(200), { nil: undefined }), seconds: fc.nat(150) })
        .map(({ grace, seconds }) => pod(grace, seconds)),
    // What is set stays, even where it is too little.
    left: [/has a grace period of \d+ s/],
});
