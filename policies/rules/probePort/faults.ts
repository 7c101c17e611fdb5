import { byHttp, has } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "probe-port",
        "a probe of a port that is not there",
        ({ livenessProbe }) => (livenessProbe.httpGet.port = "htttp"),
        byHttp,
    ),
    inContainers(
        "probe-port",
        "a port renamed and its probes not",
        ({ ports }) => (ports[0].name = "renamed"),
        (container) =>
            container.ports?.length > 0 &&
            typeof container.livenessProbe?.httpGet?.port === "string",
    ),
    inContainers(
        "probe-port",
        "a probe with two handlers",
        ({ readinessProbe }) =>
            Object.assign(readinessProbe, {
                tcpSocket: { port: 8001 },
                exec: { command: ["true"] },
            }),
        has("readinessProbe"),
    ),
];
