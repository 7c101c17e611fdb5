import { expect, test } from "@jest/globals";
import { parseRuleConfig } from "../../engine/config.ts";
import { evaluate } from "../../engine/evaluate.ts";
import { resourceToObjects, type Json } from "../../kubernetes/object.ts";
import { describeRule, outcomeOf } from "../../test/support/describeRule.ts";
import { container, deployment, podSpec } from "../../test/support/manifests.ts";
import { probeTiming } from "./rule.ts";

const TCP = { tcpSocket: { port: "http" } };
const probed = (change: Json) => deployment(podSpec({}, container(change)));
const messageOf = (what: string, at: string) =>
    `Deployment search/service, container service: has a ${what} (spec.template.spec.containers[service].${at})`;

describeRule(probeTiming, {
    compliant: {
        bounds: { objects: [deployment()] },
        "the defaults": { objects: [probed({ readinessProbe: TCP, livenessProbe: TCP })] },
        "no probe at all": {
            objects: [probed({ readinessProbe: undefined, livenessProbe: undefined })],
        },
        "a start that may take long, and whose answers may": {
            objects: [
                probed({
                    startupProbe: {
                        ...TCP,
                        periodSeconds: 2,
                        timeoutSeconds: 5,
                        failureThreshold: 900,
                    },
                }),
            ],
        },
        "a timeout longer than the period, since probes never overlap": {
            objects: [probed({ readinessProbe: { ...TCP, periodSeconds: 1, timeoutSeconds: 5 } })],
        },
        "a minute exactly": {
            objects: [probed({ livenessProbe: { ...TCP, failureThreshold: 6 } })],
        },
        "two minutes, where that is allowed": {
            objects: [probed({ livenessProbe: { ...TCP, failureThreshold: 12 } })],
            settings: { maxSeconds: 120 },
        },
    },
    violating: {
        "timeouts that make it act late": {
            objects: [
                probed({
                    readinessProbe: { ...TCP, timeoutSeconds: 21 },
                    livenessProbe: {
                        ...TCP,
                        periodSeconds: 1,
                        timeoutSeconds: 2,
                        failureThreshold: 40,
                    },
                }),
            ],
            says: [
                messageOf(
                    "readinessProbe that acts after 63 s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most 60 s",
                    "readinessProbe.failureThreshold",
                ),
                messageOf(
                    "livenessProbe that acts after 80 s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most 60 s",
                    "livenessProbe.failureThreshold",
                ),
            ],
        },
        "a minute and a little": {
            objects: [
                probed({
                    readinessProbe: { ...TCP, periodSeconds: 21 },
                    livenessProbe: { ...TCP, failureThreshold: 7 },
                }),
            ],
            says: [
                messageOf(
                    "readinessProbe that acts after 63 s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most 60 s",
                    "readinessProbe.failureThreshold",
                ),
                messageOf(
                    "livenessProbe that acts after 70 s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most 60 s",
                    "livenessProbe.failureThreshold",
                ),
            ],
        },
        "more than is allowed here": {
            objects: [probed({ livenessProbe: TCP })],
            settings: { maxSeconds: 20 },
            says: [
                messageOf(
                    "livenessProbe that acts after 30 s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most 20 s",
                    "livenessProbe.failureThreshold",
                ),
            ],
        },
        "one that kills before it takes out of traffic": {
            objects: [
                probed({
                    readinessProbe: { ...TCP, periodSeconds: 10, failureThreshold: 3 },
                    livenessProbe: { ...TCP, periodSeconds: 14, failureThreshold: 2 },
                }),
            ],
            says: [
                messageOf(
                    "livenessProbe that acts after 28 s, before its readinessProbe (30 s)",
                    "livenessProbe.failureThreshold",
                ),
            ],
        },
    },
    needs: {
        case: "one that kills before it takes out of traffic",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/periodSeconds",
            "0/spec/template/spec/containers/0/readinessProbe/failureThreshold",
        ],
    },
    ignores: {
        case: "one that kills before it takes out of traffic",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/tcpSocket",
            "0/spec/template/spec/containers/0/startupProbe/periodSeconds",
            "0/spec/template/spec/containers/0/ports",
            "0/metadata",
        ],
    },
});

test("probe-timing ignores fields that a Patch omits", () => {
    const partly = probed({
        readinessProbe: { ...TCP, timeoutSeconds: 21 },
        livenessProbe: { ...TCP, failureThreshold: 7 },
    });
    expect(outcomeOf(probeTiming, { objects: [partly] }).violations).toHaveLength(2);
    const patch = resourceToObjects("kubernetes:apps/v1:DeploymentPatch", partly);
    expect(evaluate(probeTiming, parseRuleConfig(probeTiming), patch).violations).toEqual([]);
});
