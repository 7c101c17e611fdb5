import { inContainers, inObjects, inPods, specOf, type Draft, type Fault } from "./fault.ts";

const has = (probe: string) => (container: Draft) => container[probe] !== undefined;
const both = (container: Draft) =>
    has("livenessProbe")(container) && has("readinessProbe")(container);
const byHttp = (container: Draft) => container.livenessProbe?.httpGet !== undefined;

/** Faults of probes, and of how pods begin and end. */
export const probes: readonly Fault[] = [
    inContainers(
        "readiness-probe",
        "no readiness probe",
        (container) => delete container.readinessProbe,
        has("readinessProbe"),
    ),
    inContainers(
        "liveness-probe",
        "no liveness probe",
        (container) => delete container.livenessProbe,
        has("livenessProbe"),
    ),
    inContainers(
        "liveness-probe",
        "liveness by the readiness probe's handler",
        (container) => {
            for (const handler of ["httpGet", "tcpSocket", "exec"]) {
                delete container.livenessProbe[handler];
                const same: Draft = container.readinessProbe[handler];
                if (same) container.livenessProbe[handler] = same;
            }
        },
        both,
    ),
    inContainers(
        "startup-probe",
        "a minute's delay instead of a startup probe",
        (container) => {
            delete container.startupProbe;
            container.livenessProbe.initialDelaySeconds = 60;
        },
        has("livenessProbe"),
    ),
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
    inContainers(
        "pre-stop",
        "no pause before it ends",
        (container) => delete container.lifecycle,
        (container) => container.lifecycle?.preStop !== undefined,
    ),
    inPods(
        "grace-period",
        "hardly more time to end than the pause takes",
        (pod) => (pod.terminationGracePeriodSeconds = 1 + pauseOf(pod)),
        (pod) => pauseOf(pod) > 0,
    ),
    inObjects(
        "rolling-update",
        "Deployment",
        "an update that takes pods away first",
        ({ spec }) =>
            (spec.strategy = {
                type: "RollingUpdate",
                rollingUpdate: { maxUnavailable: 1, maxSurge: 1 },
            }),
        (object) => serves(object),
    ),
    inObjects(
        "rolling-update",
        "Deployment",
        "an update without a strategy of its own",
        ({ spec }) => delete spec.strategy,
        (object) => serves(object),
    ),
    inObjects(
        "rolling-update",
        "Deployment",
        "an update that ends all before it starts one",
        ({ spec }) => (spec.strategy = { type: "Recreate" }),
        (object) => serves(object),
    ),
    inObjects(
        "rolling-update",
        "Deployment",
        "an update that may do nothing",
        ({ spec }) =>
            (spec.strategy = {
                type: "RollingUpdate",
                rollingUpdate: { maxUnavailable: 0, maxSurge: 0 },
            }),
        (object) => serves(object),
    ),
];

function pauseOf(pod: Draft): number {
    const pauses = pod.containers.map((one: Draft) => one.lifecycle?.preStop?.sleep?.seconds ?? 0);
    return Math.max(...(pauses as number[]));
}

/** Has room for a second pod while it is updated: no volume that only one may have. */
function serves(object: Draft): boolean {
    const pod = specOf(object);
    const alone = (pod.volumes ?? []).some((volume: Draft) => volume.persistentVolumeClaim);
    return !alone;
}
