import { byHttp, has } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "probe-handler",
        "a probe that starts a shell",
        (container) =>
            (container.readinessProbe = { exec: { command: ["sh", "-c", "curl -f localhost"] } }),
        has("readinessProbe"),
    ),
    inContainers(
        "probe-handler",
        "liveness that depends on dependencies",
        ({ livenessProbe }) => (livenessProbe.httpGet.path = "/health/dependencies"),
        byHttp,
    ),
];
