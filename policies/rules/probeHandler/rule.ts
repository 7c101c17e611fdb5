import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { listProbes } from "../../kubernetes/probes.ts";
import { SHELLS, startsShell, shellProbes } from "./shells.ts";

const checksDependencies = template(
    (path) => message`has a livenessProbe for ${path}, which also checks dependencies`,
);
const withTrailingSlash = (paths: readonly string[]) => paths.flatMap((path) => [path, `${path}/`]);

export const probeHandler = containerRule({
    name: "probe-handler",
    title: "Probes start no shell, and liveness probes check only the process itself.",
    why: "A shell starts a process every few seconds and may time out on a busy node. A liveness probe that checks a dependency restarts every pod when the dependency fails.",
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
            description: "paths that also check dependencies and so are unsuitable for liveness",
        }),
    },
    *check(container, { shells, dependencyPaths }) {
        for (const { field, spec } of listProbes(container)) {
            const command = shells ? undefined : spec.exec?.command;
            if (command && SHELLS.test(command[0] ?? "")) {
                const message = startsShell(field, command.slice(0, 2).join(" "));
                const fix = { exec: { command: ["/path/to/the/check", "--its-arguments"] } };
                yield { message, path: `${field}.exec.command`, fix: { [field]: fix } };
            }
            if (field !== "livenessProbe" || !spec.httpGet) continue;
            const { path = "/", port } = spec.httpGet;
            if (!withTrailingSlash(dependencyPaths).includes(path.replace(/[?#].*/, ""))) continue;
            const fix = { livenessProbe: { httpGet: { path: "/livez", port } } };
            yield { message: checksDependencies(path), path: "livenessProbe.httpGet.path", fix };
        }
    },
    admission: ({ shells, dependencyPaths }) => [
        { ...shellProbes, enabled: !shells },
        {
            each: { path: cel`[?c.?livenessProbe.?httpGet.?path]` },
            violated: cel`path.find('^[^?#]*') in ${withTrailingSlash(dependencyPaths)}`,
            message: checksDependencies(cel`path`),
            path: "livenessProbe.httpGet.path",
        },
    ],
});
