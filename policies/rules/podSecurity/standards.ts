import type { Finding } from "../../engine/rule.ts";
import { isJson, asJson, asList, type Json } from "../../kubernetes/object.ts";
import type { Container, Pod } from "../../kubernetes/pods.ts";

/*
 * The Pod Security Standards of Kubernetes 1.37, as its admission plugin checks them
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
 */

export type Profile = "baseline" | "restricted";

const PROFILES = ["RuntimeDefault", "Localhost"];

/** Fields of a security context and their allowed values; a field may always be absent. */
const CONTEXT: Readonly<Record<string, readonly unknown[]>> = {
    privileged: [false],
    "windowsOptions.hostProcess": [false],
    "appArmorProfile.type": PROFILES,
    "seccompProfile.type": PROFILES,
    "seLinuxOptions.type": [
        "container_t",
        "container_init_t",
        "container_kvm_t",
        "container_engine_t",
        "",
    ],
    "seLinuxOptions.user": [""],
    "seLinuxOptions.role": [""],
};

const CAPABILITIES: Readonly<Record<Profile, readonly string[]>> = {
    baseline: [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ],
    restricted: ["NET_BIND_SERVICE"],
};

const VOLUMES = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const SYSCTLS = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/** Prefix of the annotations that preceded the field `appArmorProfile`, one per container. */
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

const ESCALATION = "securityContext.allowPrivilegeEscalation";
const NON_ROOT = "securityContext.runAsNonRoot";
const USER = "securityContext.runAsUser";
const ADD = "securityContext.capabilities.add";
const DROP = "securityContext.capabilities.drop";

const HOSTS = [
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle.postStart",
    "lifecycle.preStop",
].flatMap((handler) => [`${handler}.httpGet.host`, `${handler}.tcpSocket.host`]);

/** Checks the pod itself against a profile. */
export function* checkPod({ spec, annotations }: Pod, profile: Profile): Iterable<Finding> {
    const pod = asJson(spec);
    for (const field of ["hostNetwork", "hostPID", "hostIPC"])
        yield* requireAllowedValue(pod, field, [false]);
    yield* checkContext(pod, pod, profile);
    for (const { name } of asList(read(pod, "securityContext.sysctls"))) {
        if (SYSCTLS.includes(String(name))) continue;
        const message = `sets the sysctl ${String(name)}; allowed: ${SYSCTLS.join(", ")}`;
        yield {
            message,
            path: "securityContext.sysctls",
            fix: { securityContext: { sysctls: [] } },
        };
    }
    for (const volume of asList(pod.volumes)) {
        const type = Object.keys(volume).find((key) => key !== "name" && isJson(volume[key]));
        if (type === undefined || VOLUMES.includes(type)) continue;
        if (profile === "baseline" && type !== "hostPath") continue;
        const name = String(volume.name);
        const message = `has ${name}, a volume of type ${type}; allowed: ${VOLUMES.join(", ")}`;
        const fix = { volumes: [{ name, persistentVolumeClaim: { claimName: name } }] };
        yield { message, path: `volumes[${name}].${type}`, fix };
    }
    for (const key of Object.keys(annotations).filter((one) => one.startsWith(APP_ARMOR))) {
        const value = annotations[key] ?? "";
        if (/^(runtime\/default|localhost\/.*)?$/.test(value)) continue;
        const message = `has the annotation ${key}: ${value}; allowed: runtime/default, localhost/*`;
        const fix = toNested("securityContext.appArmorProfile.type", "RuntimeDefault");
        yield { message, path: "securityContext.appArmorProfile.type", fix };
    }
}

/** Checks a container against a profile. */
export function* checkContainer(container: Container, profile: Profile): Iterable<Finding> {
    const [spec, pod] = [asJson(container.spec), asJson(container.pod.spec)];
    yield* checkContext(spec, pod, profile);
    for (const port of asList(spec.ports).filter(({ hostPort }) => Boolean(hostPort))) {
        const { hostPort, containerPort } = port as Readonly<Record<string, number>>;
        const message = `uses host port ${hostPort}; allowed: none`;
        const path = `ports[${containerPort}].hostPort`;
        yield { message, path, fix: { ports: [{ containerPort }] } };
    }
    // These fields let the author of a pod make the kubelet send requests to any host.
    for (const field of HOSTS) yield* requireAllowedValue(spec, field, [""]);
    for (const one of readStrings(spec, ADD)) {
        const allowed = CAPABILITIES[profile];
        if (allowed.includes(one)) continue;
        const message = `adds the capability ${one}; allowed: ${allowed.join(", ")}`;
        yield { message, path: ADD, fix: toNested(ADD, []) };
    }
    if (profile === "baseline") return;
    const isExempt = () => isWindows(pod);
    yield* requireAllowedValue(spec, ESCALATION, [false], isExempt);
    yield* requireField([spec], ESCALATION, [false], isExempt);
    yield* requireField([spec, pod], "securityContext.seccompProfile.type", PROFILES, isExempt);
    yield* requireField([spec, pod], NON_ROOT, [true], () => hasUserNamespace(pod));
    if (!readStrings(spec, DROP).includes("ALL") && !isWindows(pod)) {
        const isMissing = read(spec, DROP) === undefined;
        const message = "does not drop the capability ALL";
        yield { message, path: DROP, isMissing, fix: toNested(DROP, ["ALL"]) };
    }
}

/**
 * Sets the fields that the restricted profile requires, if they are unset and the workload cannot need another value.
 * It does not set `runAsNonRoot`: a container whose image runs as root would not start.
 */
export function harden(pod: Pod): void {
    const { spec, containers } = pod;
    if (isWindows(asJson(spec))) return;
    for (const { spec: container } of containers) {
        const { privileged, capabilities } = container.securityContext ?? {};
        // The API server rejects such a container if escalation is not allowed.
        if (!privileged && !capabilities?.add?.includes("SYS_ADMIN")) {
            container.securityContext ??= {};
            container.securityContext.allowPrivilegeEscalation ??= false;
        }
        // Root may need the capabilities; any other user has none to lose.
        if (!privileged && isNonRoot(asJson(container), asJson(spec))) {
            container.securityContext ??= {};
            container.securityContext.capabilities ??= { drop: ["ALL"] };
        }
    }
    if (containers.every(({ spec: one }) => one.securityContext?.seccompProfile)) return;
    spec.securityContext ??= {};
    spec.securityContext.seccompProfile ??= { type: "RuntimeDefault" };
}

function isNonRoot(...fromInner: readonly Json[]): boolean {
    const first = (field: string) =>
        fromInner.map((of) => read(of, field)).find((value) => value !== undefined);
    const user = first(USER);
    return user === undefined ? first(NON_ROOT) === true : user !== 0;
}

/** Checks the security context of a pod or a container. */
function* checkContext(of: Json, pod: Json, profile: Profile): Iterable<Finding> {
    for (const [field, allowed] of Object.entries(CONTEXT)) {
        yield* requireAllowedValue(of, `securityContext.${field}`, allowed);
    }
    yield* requireAllowedValue(
        of,
        "securityContext.procMount",
        ["Default"],
        () => profile === "baseline" && hasUserNamespace(pod),
    );
    if (profile === "baseline") return;
    yield* requireAllowedValue(of, NON_ROOT, [true], () => hasUserNamespace(pod));
    if (read(of, USER) === 0 && !hasUserNamespace(pod)) {
        yield { message: "runs as root (user 0)", path: USER, fix: toNested(USER, 10001) };
    }
}

/** In a user namespace, root of the container is an unprivileged user of the node (https://kep.k8s.io/127). */
function hasUserNamespace(pod: Json): boolean {
    return read(pod, "hostUsers") === false;
}

/** Linux fields do not exist on Windows, and the API server rejects Windows pods that have them. */
function isWindows(pod: Json): boolean {
    return read(pod, "os.name") === "windows";
}

type Unless = () => boolean;

/** Reports a field that is set to a value other than the allowed ones. */
function* requireAllowedValue(
    of: Json,
    field: string,
    allowed: readonly unknown[],
    unless: Unless = () => false,
): Iterable<Finding> {
    const value = read(of, field);
    if (value === undefined || allowed.includes(value) || unless()) return;
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    const message = `has ${field} ${shown}; ${formatAllowed(allowed)}`;
    yield { message, path: field, fix: toNested(field, allowed[0]) };
}

/** Reports a field that is missing in the first object and in all objects it would be inherited from. */
function* requireField(
    [of = {}, ...others]: readonly Json[],
    field: string,
    allowed: readonly unknown[],
    unless: Unless,
): Iterable<Finding> {
    if (read(of, field) !== undefined || others.some((one) => read(one, field) !== undefined))
        return;
    if (unless()) return;
    const where = others.length > 0 ? ", neither here nor in the pod" : "";
    const message = `has no ${field}${where}; ${formatAllowed(allowed)}`;
    yield { message, path: field, isMissing: true, fix: toNested(field, allowed[0]) };
}

function formatAllowed(values: readonly unknown[]): string {
    const shown = values.filter((value) => value !== "").map(String);
    return `allowed: ${shown.join(", ") || "none"}`;
}

function read(of: Json, field: string): unknown {
    return field.split(".").reduce<unknown>((value, key) => asJson(value)[key], of) ?? undefined;
}

function readStrings(of: Json, field: string): string[] {
    const value = read(of, field);
    return Array.isArray(value) ? value.map(String) : [];
}

function toNested(field: string, value: unknown): unknown {
    return field.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
