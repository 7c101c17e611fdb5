import { expect, test } from "@jest/globals";
import { describeRule, outcomeOf } from "../../test/support/describeRule.ts";
import { container, deployment, podSpec } from "../../test/support/manifests.ts";
import { startupProbe } from "./rule.ts";

const HTTP = { httpGet: { path: "/livez", port: "http" } };
const probed = (change: object) =>
    deployment(podSpec({}, container({ startupProbe: undefined, ...change })));
const says = (field: string, delay: number, most = 10) =>
    `Deployment search/service, container service: has a ${field} with initialDelaySeconds ${delay} and no startupProbe; allowed: at most ${most} (spec.template.spec.containers[service].${field}.initialDelaySeconds)`;
const late = probed({ livenessProbe: { ...HTTP, initialDelaySeconds: 30 } });

describeRule(startupProbe, {
    compliant: {
        "a startup probe, and no delay": { objects: [deployment()] },
        "neither probe nor delay": { objects: [probed({})] },
        "a short delay": { objects: [probed({ livenessProbe: { initialDelaySeconds: 10 } })] },
        "a delay with a startup probe": {
            objects: [probed({ startupProbe: HTTP, livenessProbe: { initialDelaySeconds: 60 } })],
        },
        "a longer delay, if it is allowed": { objects: [late], settings: { maxDelaySeconds: 30 } },
    },
    violating: {
        "a long delay of liveness": { objects: [late], says: [says("livenessProbe", 30)] },
        "long delays of both": {
            objects: [
                probed({
                    readinessProbe: { ...HTTP, initialDelaySeconds: 11 },
                    livenessProbe: { ...HTTP, initialDelaySeconds: 20 },
                }),
            ],
            says: [says("readinessProbe", 11), says("livenessProbe", 20)],
        },
        "any delay, if none is allowed": {
            objects: [probed({ readinessProbe: { ...HTTP, initialDelaySeconds: 1 } })],
            settings: { maxDelaySeconds: 0 },
            says: [says("readinessProbe", 1, 0)],
        },
    },
    needs: {
        case: "a long delay of liveness",
        fields: [
            "0/spec/template/spec/containers/0/readinessProbe",
            "0/spec/template/spec/containers/0/livenessProbe/initialDelaySeconds",
        ],
    },
    ignores: {
        case: "a long delay of liveness",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/httpGet",
            "0/spec/template/spec/containers/0/ports",
            "0/metadata",
        ],
    },
});

test("startup-probe proposes the delayed probe's check, for three times as long", () => {
    const [violation] = outcomeOf(startupProbe, { objects: [late] }).violations;
    expect(violation?.finding.fix).toEqual({
        startupProbe: { ...HTTP, periodSeconds: 5, failureThreshold: 18 },
    });
});
