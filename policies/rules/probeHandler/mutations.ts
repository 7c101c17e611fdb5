import { hasHttpLiveness, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "probe-handler",
        "a probe that starts a shell",
        (container) =>
            (container.readinessProbe = { exec: { command: ["sh", "-c", "curl -f localhost"] } }),
        hasProbe("readinessProbe"),
    ),
    containerMutation(
        "probe-handler",
        "liveness that depends on dependencies",
        ({ livenessProbe }) => (livenessProbe.httpGet.path = "/health/dependencies"),
        hasHttpLiveness,
    ),
];
