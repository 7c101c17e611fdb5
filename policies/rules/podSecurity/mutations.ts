import {
    containerMutation,
    podMutation,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

const contextOf = (container: Draft): Draft => (container.securityContext ??= {});

export const mutations: readonly RuleMutation[] = [
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
        containerMutation(name, (one) => Object.assign(contextOf(one), fields)),
    ),
    containerMutation(
        "escalation not forbidden",
        (one) => delete contextOf(one).allowPrivilegeEscalation,
    ),
    containerMutation(
        "a port of the node",
        ({ ports }) => (ports[0].hostPort = 80),
        ({ ports }) => ports?.length > 0,
    ),
    ...["hostNetwork", "hostPID", "hostIPC"].map((field) =>
        podMutation(`the node's ${field}`, (pod) => (pod[field] = true)),
    ),
    podMutation("a folder of the node", (pod) => {
        pod.volumes = [...(pod.volumes ?? []), { name: "node", hostPath: { path: "/var/run" } }];
    }),
    podMutation("no word about seccomp", (pod) => {
        delete pod.securityContext.seccompProfile;
        for (const one of pod.containers) delete one.securityContext?.seccompProfile;
    }),
    podMutation("a sysctl of the node", (pod) => {
        pod.securityContext.sysctls = [{ name: "kernel.msgmax", value: "1" }];
    }),
];
