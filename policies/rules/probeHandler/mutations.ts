import { hasHttpLiveness, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "a probe that starts a shell",
        (container) =>
            (container.readinessProbe = { exec: { command: ["sh", "-c", "curl -f localhost"] } }),
        hasProbe("readinessProbe"),
    ),
    containerMutation(
        "liveness that depends on dependencies",
        ({ livenessProbe }) => (livenessProbe.httpGet.path = "/health/dependencies"),
        hasHttpLiveness,
    ),
];
