import { Type } from "typebox";
import { probesOf } from "../core/probes.ts";
import { containerRule } from "../core/rule.ts";

const SHELLS = /^(?:.*\/)?(?:sh|bash|ash|dash|zsh|ksh|busybox)$/;

export const probeHandler = containerRule({
    name: "probe-handler",
    title: "Probes start no shell, and liveness asks for nothing but the process itself.",
    why: "A shell costs a process every few seconds and is killed halfway on a busy node; liveness that asks a dependency restarts every pod when that one is away.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#liveness-probe",
    settings: {
        shells: Type.Boolean({
            default: false,
            description: "whether a probe may start a shell",
        }),
        dependencyPaths: Type.Array(Type.String(), {
            default: [
                "/ready",
                "/readyz",
                "/health/ready",
                "/health/dependencies",
                "/dependencies",
            ],
            description: "paths that ask dependencies too, and so are none for liveness",
        }),
    },
    *check(container, { shells, dependencyPaths }) {
        for (const { field, spec } of probesOf(container)) {
            const command = shells ? undefined : spec.exec?.command;
            if (command && SHELLS.test(command[0] ?? "")) {
                const begins = command.length > 1 ? `${command[0]} ${command[1]}` : command[0];
                yield {
                    what: `has a ${field} that starts a shell, ${begins}`,
                    at: `${field}.exec.command`,
                    fix: {
                        [field]: { exec: { command: ["/path/to/the/check", "--its-arguments"] } },
                    },
                };
            }
            const path = field === "livenessProbe" ? spec.httpGet?.path : undefined;
            if (path !== undefined && dependencyPaths.includes(path.replace(/[?#].*|\/$/, ""))) {
                yield {
                    what: `has a livenessProbe of ${path}, which asks what it depends on too`,
                    at: "livenessProbe.httpGet.path",
                    fix: {
                        livenessProbe: { httpGet: { path: "/livez", port: spec.httpGet?.port } },
                    },
                };
            }
        }
    },
});
