import { both, has } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "probe-timing",
        "a probe that waits a minute for an answer",
        ({ readinessProbe }) => (readinessProbe.timeoutSeconds = 61),
        has("readinessProbe"),
    ),
    inContainers(
        "probe-timing",
        "ten minutes until a dead pod is noticed",
        ({ livenessProbe }) => (livenessProbe.failureThreshold = 60),
        has("livenessProbe"),
    ),
    inContainers(
        "probe-timing",
        "killed before it is taken out of traffic",
        ({ livenessProbe, readinessProbe }) => {
            Object.assign(livenessProbe, {
                periodSeconds: 2,
                timeoutSeconds: 1,
                failureThreshold: 1,
            });
            Object.assign(readinessProbe, { periodSeconds: 10, failureThreshold: 3 });
        },
        both,
    ),
];
