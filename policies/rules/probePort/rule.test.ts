import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, podSpec } from "../../test/support/manifests.ts";
import { probePort } from "./rule.ts";

const probed = (livenessProbe: Json, change: Json = {}) =>
    deployment(podSpec({}, container({ livenessProbe, ...change })));
const http = (port: unknown) => ({ httpGet: { path: "/livez", port } });
const messageOf = (what: string, at = "livenessProbe") =>
    `Deployment search/service, container service: has a ${what} (spec.template.spec.containers[service].${at})`;
const elsewhere = probed(http(8081));

describeRule(probePort, {
    compliant: {
        "ports by their names": { objects: [deployment()] },
        "a port by its number": { objects: [probed({ tcpSocket: { port: 8080 } })] },
        "a declared number, if required": {
            objects: [probed(http(8080))],
            settings: { requireDeclaredPorts: true },
        },
        "an undeclared number": { objects: [elsewhere] },
        "a number, if the container declares no ports": {
            objects: [
                probed(
                    { grpc: { port: 9000 } },
                    { ports: [], startupProbe: undefined, readinessProbe: undefined },
                ),
            ],
            settings: { requireDeclaredPorts: true },
        },
        "a command": { objects: [probed({ exec: { command: ["ping"] } })] },
        "no probe": {
            objects: [
                deployment(podSpec({}, { name: "service", image: "registry.example/service:v1" })),
            ],
        },
    },
    violating: {
        "a name that no port has": {
            objects: [probed(http("htttp")), probed({ tcpSocket: { port: "metrics" } })],
            says: [
                messageOf(
                    "livenessProbe for port htttp; the container's ports are: http",
                    "livenessProbe.httpGet.port",
                ),
                messageOf(
                    "livenessProbe for port metrics; the container's ports are: http",
                    "livenessProbe.tcpSocket.port",
                ),
            ],
        },
        "a name, if the container declares no ports": {
            objects: [
                probed(http("http"), {
                    ports: undefined,
                    startupProbe: undefined,
                    readinessProbe: undefined,
                }),
            ],
            says: [
                messageOf(
                    "livenessProbe for port http; the container's ports are: none",
                    "livenessProbe.httpGet.port",
                ),
            ],
        },
        "an undeclared number, if declaration is required": {
            objects: [elsewhere],
            settings: { requireDeclaredPorts: true },
            says: [
                messageOf(
                    "livenessProbe for port 8081; the container's ports are: http",
                    "livenessProbe.httpGet.port",
                ),
            ],
        },
        "no handler": {
            objects: [probed({ periodSeconds: 10 })],
            says: [messageOf("livenessProbe with no handler; allowed: exactly one handler")],
        },
        "two handlers": {
            objects: [probed({ ...http("http"), exec: { command: ["ping"] } })],
            says: [messageOf("livenessProbe with httpGet and exec; allowed: exactly one handler")],
        },
    },
    needs: {
        case: "an undeclared number, if declaration is required",
        fields: [
            "0/spec/template/spec/containers/0/ports",
            "0/spec/template/spec/containers/0/livenessProbe/httpGet",
            "0/spec/template/spec/containers/0/livenessProbe/httpGet/port",
        ],
    },
    ignores: {
        case: "an undeclared number, if declaration is required",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe/httpGet/path",
            "0/spec/template/spec/containers/0/image",
            "0/metadata",
        ],
    },
});
