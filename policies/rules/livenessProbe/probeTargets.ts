import type { V1Probe } from "@kubernetes/client-node";
import { cel, message, template, type Cel } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import type { Container } from "../../kubernetes/pods.ts";
import { secondsUntilActionInCel, getPort } from "../../kubernetes/probes.ts";

/** Describes the check of a probe, such as `GET /livez on port 8080`; equal checks have equal descriptions. */
export function describeProbe(container: Container, probe: V1Probe): string | undefined {
    const { httpGet, tcpSocket, exec, grpc } = probe;
    const named = getPort(probe);
    const ports = typeof named === "string" ? (container.spec.ports ?? []) : [];
    const port = ports.find(({ name }) => name === named)?.containerPort ?? named;
    if (httpGet) {
        const { path = "/", host } = httpGet;
        return `GET ${path} on port ${port}${host === undefined ? "" : ` of ${host}`}`;
    }
    if (tcpSocket) return `a connection to port ${port}`;
    if (grpc) return `gRPC health of "${grpc.service ?? ""}" on port ${port}`;
    return exec?.command?.join(" ");
}

const portNumber = (port: Cel) =>
    cel`(c.?ports.orValue([]).filter(one, one.?name.orValue('') == ${port}).map(one, string(one.containerPort)) + [string(${port})])[0]`;
const host = cel`p.httpGet.?host.optMap(host, ' of ' + host).orValue('')`;
const probeTarget = [
    cel`has(p.httpGet) ? ${message`GET ${cel`p.httpGet.?path.orValue('/')`} on port ${portNumber(cel`p.httpGet.port`)}${host}`}`,
    cel`has(p.tcpSocket) ? ${message`a connection to port ${portNumber(cel`p.tcpSocket.port`)}`}`,
    cel`has(p.grpc) ? ${message`gRPC health of "${cel`p.grpc.?service.orValue('')`}" on port ${cel`p.grpc.port`}`}`,
    cel`p.?exec.?command.orValue([]).join(' ')`,
];

export const sameTarget = template(
    (one) => message`uses the same check for livenessProbe and readinessProbe: ${one}`,
);

/** The same check in CEL. */
export const sameTargetCheck = (whenSlower: boolean): AdmissionCheck => ({
    each: {
        probes: cel`has(c.livenessProbe) && has(c.readinessProbe) ? [[c.livenessProbe, c.readinessProbe]] : []`,
        targets: cel`[probes.map(p, ${{ cel: probeTarget.map((one) => one.cel).join(" : ") }})]`,
        target: cel`targets[0] == targets[1] && targets[0] != '' ? [targets[0]] : []`,
    },
    violated: cel`!${whenSlower} || ${secondsUntilActionInCel(cel`probes[0]`)} <= ${secondsUntilActionInCel(cel`probes[1]`)}`,
    message: sameTarget(cel`target`),
    path: "livenessProbe",
});
