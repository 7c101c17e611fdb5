import type { Json } from "../../core/object.ts";
import { probeHandler } from "../../rules/probeHandler.ts";
import { describeRule } from "../support/describeRule.ts";
import { container, deployment, podSpec } from "../support/manifests.ts";

const probed = (change: Json) => deployment(podSpec({}, container(change)));
const runs = (...command: string[]) => probed({ readinessProbe: { exec: { command } } });
const lives = (path: string) => probed({ livenessProbe: { httpGet: { path, port: "http" } } });
const said = (what: string, at: string) =>
    `Deployment search/service, container service: has a ${what} (spec.template.spec.containers[service].${at})`;
const shell = (name: string) =>
    said(`readinessProbe that starts a shell, ${name}`, "readinessProbe.exec.command");
const depends = (path: string) =>
    said(`livenessProbe of ${path}, which asks about dependencies`, "livenessProbe.httpGet.path");

describeRule(probeHandler, {
    compliant: {
        requests: { objects: [deployment()] },
        "a program": {
            objects: [
                runs("redis-cli", "-e", "ping"),
                runs("/bin/grpc_health_probe", "-addr=:9000"),
                runs("timeout", "5", "pg_isready"),
                runs("pgrep", "bash"),
                runs(),
            ],
        },
        "no probe": {
            objects: [
                deployment(podSpec({}, { name: "service", image: "registry.example/service:v1" })),
            ],
        },
        "readiness that asks about dependencies": {
            objects: [probed({ readinessProbe: { httpGet: { path: "/health/dependencies" } } })],
        },
        "liveness of the root": {
            objects: [lives("/"), probed({ livenessProbe: { httpGet: {} } })],
        },
        "any path, where none is named": {
            objects: [lives("/ready")],
            settings: { dependencyPaths: [] },
        },
    },
    violating: {
        shells: {
            objects: [
                runs("sh", "-c", "curl -f localhost:8080"),
                runs("/bin/bash", "/scripts/check"),
                runs("/usr/bin/env", "-i", "A=b", "dash", "-c", "true"),
                runs("timeout", "-k", "1s", "5s", "ash", "-c", "true"),
            ],
            says: [shell("sh"), shell("bash"), shell("dash"), shell("ash")],
        },
        "a script": { objects: [runs("/health/ready.sh")], says: [shell("ready.sh")] },
        "a shell at every probe": {
            objects: [
                probed({
                    startupProbe: { exec: { command: ["sh"] } },
                    readinessProbe: { exec: { command: ["sh"] } },
                    livenessProbe: { exec: { command: ["sh"] } },
                }),
            ],
            says: ["startupProbe", "readinessProbe", "livenessProbe"].map((field) =>
                said(`${field} that starts a shell, sh`, `${field}.exec.command`),
            ),
        },
        "liveness that depends on others": {
            objects: [lives("/health/dependencies"), lives("/readyz/?verbose")],
            says: [depends("/health/dependencies"), depends("/readyz")],
        },
        "a path of one's own": {
            objects: [lives("/deep")],
            settings: { dependencyPaths: ["/deep"] },
            says: [depends("/deep")],
        },
    },
    needs: {
        case: "a shell at every probe",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/exec",
            "0/spec/template/spec/containers/0/startupProbe/exec/command/0",
        ],
    },
    ignores: {
        case: "liveness that depends on others",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/httpGet/port",
            "0/spec/template/spec/containers/0/readinessProbe/httpGet",
            "0/spec/template/spec/containers/0/ports",
            "0/metadata",
        ],
    },
});
