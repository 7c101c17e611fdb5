import { Type } from "typebox";
import { probesOf } from "../core/probes.ts";
import { containerRule } from "../core/rule.ts";

/** Of a program's name. */
const SHELL = /^(?:ba|da|a|k|z)?sh$|\.(?:ba)?sh$/;
/** What comes before the program that is meant: another that starts it, its options and its arguments. */
const BEFORE = /^(?:env|timeout|nice|-.*|\d+\w?|\w+=.*)$/;

/** Those that frameworks give to readiness. */
const READINESS = [
    "/ready",
    "/readyz",
    "/readiness",
    "/-/ready",
    "/health/ready",
    "/health/readiness",
    "/health/dependencies",
    "/actuator/health/readiness",
];

export const probeHandler = containerRule({
    name: "probe-handler",
    title: "No probe starts a shell, and liveness does not ask about dependencies.",
    why: "A shell at every period costs more than the answer and may outlive its timeout; a dependency that is away gets every pod killed at once.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/workloads/pods/probes/",
    settings: {
        dependencyPaths: Type.Array(Type.String(), {
            default: READINESS,
            description: "paths that liveness must not ask for",
        }),
    },
    *check(container, { dependencyPaths }) {
        for (const { field, spec } of probesOf(container)) {
            const program = programOf(spec.exec?.command ?? []);
            if (SHELL.test(program)) {
                yield {
                    what: `has a ${field} that starts a shell, ${program}`,
                    at: `${field}.exec.command`,
                    fix: { [field]: { httpGet: { path: "/healthz", port: "http" } } },
                };
            }
            if (field !== "livenessProbe" || spec.httpGet?.path === undefined) continue;
            const path = spec.httpGet.path.replace(/\/?(?:\?.*)?$/, "");
            if (!dependencyPaths.includes(path)) continue;
            yield {
                what: `has a livenessProbe of ${path}, which asks about dependencies`,
                at: "livenessProbe.httpGet.path",
                fix: { livenessProbe: { httpGet: { path: "/livez" } } },
            };
        }
    },
});

function programOf(command: readonly string[]): string {
    return command.map((word) => word.replace(/^.*\//, "")).find((w) => !BEFORE.test(w)) ?? "";
}
