import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { livenessProbe } from "./rule.ts";

const AT = "spec.template.spec.containers[service].livenessProbe";
const HTTP = { httpGet: { path: "/health", port: "http" } };
const http = (path: string, port: unknown) => ({ httpGet: { path, port } });
const tcp = (port: unknown) => ({ tcpSocket: { port } });
const exec = (...command: string[]) => ({ exec: { command } });
const grpc = (more: object = {}) => ({ grpc: { port: 9000, ...more } });
const probed = (livenessProbe: unknown, readinessProbe: unknown) =>
    deployment(podSpec({}, container({ livenessProbe, readinessProbe })));
const bare = container({ livenessProbe: undefined });
const { Job, CronJob } = ofEachKind(podSpec({}, bare));
const same = (question: string) =>
    `Deployment search/service, container service: uses the same check for livenessProbe and readinessProbe: ${question} (${AT})`;

describeRule(livenessProbe, {
    compliant: {
        "two paths": { objects: [deployment()] },
        "two ports": { objects: [probed(http("/", "http"), http("/", 8081))] },
        "two hosts": {
            objects: [probed({ httpGet: { port: 8080, host: "other.example" } }, http("/", 8080))],
        },
        "a connection and a request": { objects: [probed(tcp("http"), HTTP)] },
        "two commands": { objects: [probed(exec("ping"), exec("ping", "-a"))] },
        "two services of gRPC": { objects: [probed(grpc({ service: "live" }), grpc())] },
        "one without the other": {
            objects: [probed(HTTP, undefined), probed(undefined, HTTP)],
        },
        "handlers that are not there, which another rule finds": { objects: [probed({}, {})] },
        "one question, where liveness acts later": {
            objects: [probed({ ...HTTP, failureThreshold: 4 }, HTTP)],
        },
        "a container without ports, where it is required": {
            objects: [deployment(podSpec({}, { ...bare, ports: [] }))],
            settings: { required: true },
        },
        "what runs to its end, where it is required": {
            objects: [Job, CronJob],
            settings: { required: true },
        },
    },
    violating: {
        "one request": {
            objects: [probed(HTTP, HTTP)],
            says: [same("GET /health on port 8080")],
        },
        "one request, by the port's name and by its number": {
            objects: [probed({ httpGet: { port: 8080 } }, http("/", "http"))],
            says: [same("GET / on port 8080")],
        },
        "one connection, command and service": {
            objects: [
                probed(tcp(1), tcp(1)),
                probed(exec("ping", "-a"), exec("ping", "-a")),
                probed(grpc(), grpc({ service: "" })),
            ],
            says: [
                same("a connection to port 1"),
                same("ping -a"),
                same('gRPC health of "" on port 9000'),
            ],
        },
        "one question even where liveness acts later, if that is not allowed": {
            objects: [probed({ ...HTTP, failureThreshold: 9 }, HTTP)],
            settings: { sharedWhenSlower: false },
            says: [same("GET /health on port 8080")],
        },
        "none, where it is required": {
            objects: [deployment(podSpec({}, bare))],
            settings: { required: true },
            says: [
                `Deployment search/service, container service: has ports and no livenessProbe (${AT})`,
            ],
        },
    },
    needs: {
        case: "one request",
        fields: [
            "0/spec/template/spec/containers/0/livenessProbe",
            "0/spec/template/spec/containers/0/readinessProbe",
            "0/spec/template/spec/containers/0/livenessProbe/httpGet/path",
            "0/spec/template/spec/containers/0/ports/0/containerPort",
        ],
    },
    ignores: {
        case: "one request",
        fields: [
            "0/spec/template/spec/containers/0/image",
            "0/spec/template/spec/containers/0/startupProbe",
            "0/metadata/name",
        ],
    },
});
