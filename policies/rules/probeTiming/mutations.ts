import { hasBothProbes, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "a probe that waits a minute for an answer",
        ({ readinessProbe }) => (readinessProbe.timeoutSeconds = 61),
        hasProbe("readinessProbe"),
    ),
    containerMutation(
        "ten minutes until a dead pod is noticed",
        ({ livenessProbe }) => (livenessProbe.failureThreshold = 60),
        hasProbe("livenessProbe"),
    ),
    containerMutation(
        "killed before it is taken out of traffic",
        ({ livenessProbe, readinessProbe }) => {
            Object.assign(livenessProbe, {
                periodSeconds: 2,
                timeoutSeconds: 1,
                failureThreshold: 1,
            });
            Object.assign(readinessProbe, { periodSeconds: 10, failureThreshold: 3 });
        },
        hasBothProbes,
    ),
];
