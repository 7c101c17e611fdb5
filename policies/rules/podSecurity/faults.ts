import { inContainers, inPods, type Draft, type Fault } from "../../faults/fault.ts";

const contextOf = (container: Draft): Draft => (container.securityContext ??= {});

export const faults: readonly Fault[] = [
    ...Object.entries({
        "a privileged container": { privileged: true },
        "escalation allowed": { allowPrivilegeEscalation: true },
        "capabilities added": { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } },
        "capabilities kept": { capabilities: {} },
        "a container that may be root": { runAsNonRoot: false },
        "a container that is root": { runAsUser: 0 },
        "no seccomp filter": { seccompProfile: { type: "Unconfined" } },
        "all of /proc": { procMount: "Unmasked" },
        "a root file system that can be written": { readOnlyRootFilesystem: false },
    }).map(([name, fields]) =>
        inContainers("pod-security", name, (one) => Object.assign(contextOf(one), fields)),
    ),
    inContainers(
        "pod-security",
        "escalation not forbidden",
        (one) => delete contextOf(one).allowPrivilegeEscalation,
    ),
    inContainers(
        "pod-security",
        "a port of the node",
        ({ ports }) => (ports[0].hostPort = 80),
        ({ ports }) => ports?.length > 0,
    ),
    ...["hostNetwork", "hostPID", "hostIPC"].map((field) =>
        inPods("pod-security", `the node's ${field}`, (pod) => (pod[field] = true)),
    ),
    inPods("pod-security", "a folder of the node", (pod) => {
        pod.volumes = [...(pod.volumes ?? []), { name: "node", hostPath: { path: "/var/run" } }];
    }),
    inPods("pod-security", "no word about seccomp", (pod) => {
        delete pod.securityContext.seccompProfile;
        for (const one of pod.containers) delete one.securityContext?.seccompProfile;
    }),
    inPods("pod-security", "a sysctl of the node", (pod) => {
        pod.securityContext.sysctls = [{ name: "kernel.msgmax", value: "1" }];
    }),
];
