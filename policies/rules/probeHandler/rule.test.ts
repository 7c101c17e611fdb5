import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, podSpec } from "../../test/support/manifests.ts";
import { probeHandler } from "./rule.ts";

const AT = "spec.template.spec.containers[service]";
const WHERE = "Deployment search/service, container service";
const withExec = (...command: readonly string[]) =>
    deployment(podSpec({}, container({ readinessProbe: { exec: { command } } })));
const withLiveness = (path: string) =>
    deployment(podSpec({}, container({ livenessProbe: { httpGet: { path, port: 8080 } } })));

describeRule(probeHandler, {
    compliant: {
        "probes by HTTP": { objects: [deployment()] },
        "a program of its own": { objects: [withExec("redis-cli", "ping")] },
        "a program whose name ends so": { objects: [withExec("/usr/bin/push", "-c")] },
        "a shell, where that is allowed": {
            objects: [withExec("sh", "-c", "true")],
            settings: { shells: true },
        },
        "liveness of any other path": { objects: [withLiveness("/healthz/ready-to-live")] },
    },
    violating: {
        "a shell, by any path": {
            objects: [withExec("/bin/bash", "-c", "curl -f localhost")],
            says: [
                `${WHERE}: has a readinessProbe that starts a shell: /bin/bash -c (${AT}.readinessProbe.exec.command)`,
            ],
        },
        "a script for a shell": {
            objects: [withExec("sh", "/check.sh")],
            says: [
                `${WHERE}: has a readinessProbe that starts a shell: sh /check.sh (${AT}.readinessProbe.exec.command)`,
            ],
        },
        "liveness that checks dependencies": {
            objects: [withLiveness("/readyz?verbose")],
            says: [
                `${WHERE}: has a livenessProbe for /readyz?verbose, which also checks dependencies (${AT}.livenessProbe.httpGet.path)`,
            ],
        },
        "liveness of a path that the stack names": {
            objects: [withLiveness("/status/")],
            settings: { dependencyPaths: ["/status"] },
            says: [
                `${WHERE}: has a livenessProbe for /status/, which also checks dependencies (${AT}.livenessProbe.httpGet.path)`,
            ],
        },
    },
    needs: {
        case: "a shell, by any path",
        fields: [
            "0/spec/template/spec/containers/0/readinessProbe",
            "0/spec/template/spec/containers/0/readinessProbe/exec",
            "0/spec/template/spec/containers/0/livenessProbe/httpGet/path",
        ],
    },
    ignores: {
        case: "a shell, by any path",
        fields: [
            "0/metadata",
            "0/spec/template/spec/containers/0/image",
            "0/spec/template/spec/containers/0/readinessProbe/exec/command/2",
        ],
    },
});
