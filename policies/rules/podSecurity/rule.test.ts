import fc from "fast-check";
import type { Json } from "../../kubernetes/object.ts";
import { describeRemediation } from "../../test/support/describeRemediation.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import {
    container,
    deployment,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { podSecurity } from "./rule.ts";

const SECURE = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const contained = (change: Json) => container({ securityContext: { ...SECURE, ...change } });
const of = (pod: Json, change: Json = {}) => deployment(podSpec(pod, contained(change)));
const annotated = (value: string): Json => {
    const annotations = { "container.apparmor.security.beta.kubernetes.io/service": value };
    return deployment(podSpec(), { template: { metadata: { annotations }, spec: podSpec() } });
};
const bare = podSpec({ securityContext: undefined }, container({ securityContext: undefined }));
const seccomp = { type: "RuntimeDefault" };

const POD = "Deployment search/service:";
const IN = "Deployment search/service, container service:";
const at = (field: string) => `(spec.template.spec.${field})`;
const inside = (field: string) => at(`containers[service].${field}`);
const PROFILES = "allowed: RuntimeDefault, Localhost";

describeRule(podSecurity, {
    compliant: {
        "the restricted profile, in every kind": { objects: Object.values(ofEachKind(podSpec())) },
        "what is set in each container": {
            objects: [of({ securityContext: {} }, { runAsNonRoot: true, seccompProfile: seccomp })],
        },
        "what the profile leaves free": {
            objects: [
                of(
                    {
                        securityContext: {
                            runAsNonRoot: true,
                            appArmorProfile: { type: "Localhost", localhostProfile: "a" },
                            seccompProfile: { type: "Localhost", localhostProfile: "a" },
                            seLinuxOptions: { type: "container_t", level: "s0:c123" },
                            sysctls: [{ name: "net.ipv4.tcp_rmem", value: "4096 1 2" }],
                        },
                        volumes: [
                            { name: "a", emptyDir: {} },
                            { name: "b", configMap: {} },
                        ],
                    },
                    {
                        capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
                        privileged: false,
                        procMount: "Default",
                    },
                ),
                annotated("localhost/a"),
            ],
        },
        "root in a user namespace": {
            objects: [of({ hostUsers: false, securityContext: { seccompProfile: seccomp } })],
        },
        "Windows, which has none of it": {
            objects: [
                deployment({
                    ...bare,
                    os: { name: "windows" },
                    securityContext: { runAsNonRoot: true },
                }),
            ],
        },
        "the baseline profile, if it is configured": {
            objects: [
                deployment(bare),
                of(
                    { securityContext: { runAsUser: 0 }, volumes: [{ name: "a", nfs: {} }] },
                    { capabilities: { add: ["CHOWN"] }, allowPrivilegeEscalation: true },
                ),
                of({ hostUsers: false }, { procMount: "Unmasked" }),
            ],
            settings: { profile: "baseline" },
        },
        "a root filesystem that cannot be written to": {
            objects: [deployment()],
            settings: { readOnlyRootFilesystem: true },
        },
        "an ephemeral container that keeps to it": {
            objects: [
                object("v1", "Pod", {
                    spec: podSpec({ ephemeralContainers: [{ ...contained({}), name: "debug" }] }),
                }),
            ],
        },
    },
    violating: {
        "nothing set": {
            objects: [deployment(bare)],
            says: [
                `${IN} has no securityContext.allowPrivilegeEscalation; allowed: false ${inside("securityContext.allowPrivilegeEscalation")}`,
                `${IN} has no securityContext.seccompProfile.type, neither here nor in the pod; ${PROFILES} ${inside("securityContext.seccompProfile.type")}`,
                `${IN} has no securityContext.runAsNonRoot, neither here nor in the pod; allowed: true ${inside("securityContext.runAsNonRoot")}`,
                `${IN} does not drop the capability ALL ${inside("securityContext.capabilities.drop")}`,
            ],
        },
        "the node's namespaces": {
            objects: [of({ hostNetwork: true, hostPID: true, hostIPC: true })],
            settings: { profile: "baseline" },
            says: ["hostNetwork", "hostPID", "hostIPC"].map(
                (field) => `${POD} has ${field} true; allowed: false ${at(field)}`,
            ),
        },
        "the pod's security context": {
            objects: [
                of(
                    {
                        securityContext: {
                            runAsNonRoot: false,
                            runAsUser: 0,
                            seccompProfile: { type: "Unconfined" },
                            appArmorProfile: { type: "Unconfined" },
                            seLinuxOptions: { user: "system_u" },
                            windowsOptions: { hostProcess: true },
                            sysctls: [{ name: "kernel.msgmax", value: "1" }],
                        },
                    },
                    { seccompProfile: seccomp },
                ),
            ],
            says: [
                `${POD} has securityContext.windowsOptions.hostProcess true; allowed: false ${at("securityContext.windowsOptions.hostProcess")}`,
                `${POD} has securityContext.appArmorProfile.type Unconfined; ${PROFILES} ${at("securityContext.appArmorProfile.type")}`,
                `${POD} has securityContext.seccompProfile.type Unconfined; ${PROFILES} ${at("securityContext.seccompProfile.type")}`,
                `${POD} has securityContext.seLinuxOptions.user system_u; allowed: none ${at("securityContext.seLinuxOptions.user")}`,
                `${POD} has securityContext.runAsNonRoot false; allowed: true ${at("securityContext.runAsNonRoot")}`,
                `${POD} runs as root (user 0) ${at("securityContext.runAsUser")}`,
                `${POD} sets the sysctl kernel.msgmax; allowed: kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports, net.ipv4.ip_unprivileged_port_start, net.ipv4.ping_group_range, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_keepalive_intvl, net.ipv4.tcp_keepalive_probes, net.ipv4.tcp_keepalive_time, net.ipv4.tcp_notsent_lowat, net.ipv4.tcp_rmem, net.ipv4.tcp_slow_start_after_idle, net.ipv4.tcp_syncookies, net.ipv4.tcp_wmem ${at("securityContext.sysctls")}`,
            ],
        },
        "a container's security context": {
            objects: [
                of(
                    { volumes: [] },
                    {
                        privileged: true,
                        allowPrivilegeEscalation: true,
                        procMount: "Unmasked",
                        runAsNonRoot: false,
                        runAsUser: 0,
                        seLinuxOptions: { type: "spc_t" },
                        capabilities: { add: ["NET_BIND_SERVICE", "NET_RAW"], drop: ["KILL"] },
                    },
                ),
            ],
            says: [
                `${IN} has securityContext.privileged true; allowed: false ${inside("securityContext.privileged")}`,
                `${IN} has securityContext.seLinuxOptions.type spc_t; allowed: container_t, container_init_t, container_kvm_t, container_engine_t ${inside("securityContext.seLinuxOptions.type")}`,
                `${IN} has securityContext.procMount Unmasked; allowed: Default ${inside("securityContext.procMount")}`,
                `${IN} has securityContext.runAsNonRoot false; allowed: true ${inside("securityContext.runAsNonRoot")}`,
                `${IN} runs as root (user 0) ${inside("securityContext.runAsUser")}`,
                `${IN} adds the capability NET_RAW; allowed: NET_BIND_SERVICE ${inside("securityContext.capabilities.add")}`,
                `${IN} has securityContext.allowPrivilegeEscalation true; allowed: false ${inside("securityContext.allowPrivilegeEscalation")}`,
                `${IN} does not drop the capability ALL ${inside("securityContext.capabilities.drop")}`,
            ],
        },
        "volumes of the node and of other machines": {
            objects: [
                of({
                    volumes: [
                        { name: "root", hostPath: { path: "/" } },
                        { name: "nas", nfs: {} },
                    ],
                }),
            ],
            says: ["root.hostPath", "nas.nfs"].map((volume) => {
                const [name = "", type = ""] = volume.split(".");
                return `${POD} has ${name}, a volume of type ${type}; allowed: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret ${at(`volumes[${name}].${type}`)}`;
            }),
        },
        "what even the baseline profile forbids in a container": {
            objects: [
                deployment(
                    podSpec(
                        { volumes: [{ name: "root", hostPath: {} }] },
                        container({
                            ports: [{ containerPort: 8080, hostPort: 80 }],
                            livenessProbe: { httpGet: { host: "10.0.0.1", port: 80 } },
                            lifecycle: { preStop: { tcpSocket: { host: "a", port: 80 } } },
                            securityContext: { capabilities: { add: ["SYS_ADMIN"] } },
                        }),
                    ),
                ),
                annotated("unconfined"),
            ],
            settings: { profile: "baseline" },
            says: [
                `${POD} has root, a volume of type hostPath; allowed: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret ${at("volumes[root].hostPath")}`,
                `${IN} uses host port 80; allowed: none ${inside("ports[8080].hostPort")}`,
                `${IN} has livenessProbe.httpGet.host 10.0.0.1; allowed: none ${inside("livenessProbe.httpGet.host")}`,
                `${IN} has lifecycle.preStop.tcpSocket.host a; allowed: none ${inside("lifecycle.preStop.tcpSocket.host")}`,
                `${IN} adds the capability SYS_ADMIN; allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT ${inside("securityContext.capabilities.add")}`,
                `${POD} has the annotation container.apparmor.security.beta.kubernetes.io/service: unconfined; allowed: runtime/default, localhost/* ${at("securityContext.appArmorProfile.type")}`,
            ],
        },
        "an init container and an ephemeral one": {
            objects: [
                object("v1", "Pod", {
                    spec: podSpec({
                        initContainers: [{ ...contained({ runAsUser: 0 }), name: "init" }],
                        ephemeralContainers: [{ ...contained({ runAsUser: 0 }), name: "debug" }],
                    }),
                }),
            ],
            says: ["initContainers[init]", "ephemeralContainers[debug]"].map(
                (path) =>
                    `Pod search/service, container ${/\[(\w+)\]/.exec(path)?.[1] ?? ""}: runs as root (user 0) (spec.${path}.securityContext.runAsUser)`,
            ),
        },
        "a root filesystem that can be written to": {
            objects: [of({}), of({}, { readOnlyRootFilesystem: false })],
            settings: { readOnlyRootFilesystem: true },
            says: [1, 2].map(
                () =>
                    `${IN} can write to its root filesystem ${inside("securityContext.readOnlyRootFilesystem")}`,
            ),
        },
    },
    needs: {
        case: "a container's security context",
        fields: [
            "0/spec/template/spec/volumes",
            "0/spec/template/spec/securityContext/runAsNonRoot",
            ...["", "/privileged", "/procMount", "/runAsUser", "/capabilities/drop/0"].map(
                (field) => `0/spec/template/spec/containers/0/securityContext${field}`,
            ),
        ],
    },
    ignores: {
        case: "nothing set",
        fields: [
            "0/metadata",
            "0/spec/template/metadata/labels",
            "0/spec/template/spec/containers/0/image",
            "0/spec/template/spec/containers/0/resources",
        ],
    },
});

const optional = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
    fc.record(fields, { requiredKeys: [] });
const good = {
    allowPrivilegeEscalation: fc.constant(false),
    capabilities: fc.constant({ drop: ["ALL"] }),
    seccompProfile: fc.constant(seccomp),
    runAsUser: fc.constant(10001),
};
const bad = {
    allowPrivilegeEscalation: fc.boolean(),
    capabilities: fc.constantFrom({ drop: ["ALL"] }, { add: ["SYS_ADMIN"] }, {}),
    seccompProfile: fc.constantFrom({ type: "Unconfined" }, seccomp),
    runAsUser: fc.constantFrom(0, 10001),
    runAsNonRoot: fc.boolean(),
    privileged: fc.boolean(),
};
const ofContexts = (pod: fc.Arbitrary<unknown>, context: fc.Arbitrary<unknown>) =>
    fc
        .tuple(
            pod,
            fc.array(fc.option(context, { nil: undefined }), { minLength: 1, maxLength: 3 }),
        )
        .map(([securityContext, contexts]) =>
            podSpec(
                { securityContext },
                ...contexts.map((one, i) => container({ name: `c${i}`, securityContext: one })),
            ),
        );

describeRemediation(podSecurity, {
    pods: ofContexts(
        fc.constantFrom({ runAsNonRoot: true }, { runAsNonRoot: true, seccompProfile: seccomp }),
        optional(good),
    ),
});
describeRemediation(podSecurity, {
    pods: ofContexts(optional({ ...bad, capabilities: fc.constant(undefined) }), optional(bad)),
    // What is set stays; what root needs is not known.
    left: [
        / has securityContext\./,
        /runs as root \(user 0\)/,
        /adds the capability/,
        /has no securityContext.(runAsNonRoot|allowPrivilegeEscalation)/,
        /does not drop/,
    ],
});
describeRemediation(podSecurity, { pods: fc.constant(bare), settings: { profile: "baseline" } });
