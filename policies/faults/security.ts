import { inContainers, inObjects, inPods, type Draft, type Fault } from "./fault.ts";

const contextOf = (container: Draft): Draft => (container.securityContext ??= {});
const repository = (image: string) => image.replace(/(@.*|:[^:/]*)$/, "");
const secretOf = (container: Draft): Draft =>
    (container.env ?? []).find(
        ({ name, valueFrom }: Draft) =>
            valueFrom?.secretKeyRef && /PASSWORD|TOKEN|KEY/.test(name as string),
    );

/** Faults of images, of what a pod may do, and of secrets. */
export const security: readonly Fault[] = [
    inContainers(
        "image-tag",
        "the tag latest",
        (one) => (one.image = `${repository(one.image)}:latest`),
    ),
    inContainers("image-tag", "no tag", (one) => (one.image = repository(one.image))),
    inContainers(
        "image-registry",
        "an image from anywhere",
        (one) =>
            (one.image = `images.example.net/${repository(one.image).split("/").pop()}:v1.2.3`),
    ),
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
    inPods(
        "service-account",
        "a token that nobody needs",
        (pod) => (pod.automountServiceAccountToken = true),
        (pod) => pod.automountServiceAccountToken === false,
    ),
    inPods(
        "service-account",
        "the token not refused",
        (pod) => delete pod.automountServiceAccountToken,
        (pod) => pod.automountServiceAccountToken === false,
    ),
    inContainers(
        "secret-literals",
        "a password written down",
        (one) => {
            const { name } = secretOf(one);
            one.env = one.env.map((each: Draft) =>
                each.name === name ? { name, value: "hunter2-hunter2" } : each,
            );
        },
        (one) => secretOf(one) !== undefined,
    ),
    inContainers("secret-literals", "a known default password", (one) => {
        one.env = [...(one.env ?? []), { name: "ADMIN_PASSWORD", value: "admin" }];
    }),
    inObjects("secret-literals", "ConfigMap", "a private key in a ConfigMap", ({ data }) => {
        data.key =
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----\n";
    }),
    inContainers("secret-literals", "a URL with its password", (one) => {
        one.env = [
            ...(one.env ?? []),
            { name: "REDIS_URL", value: "redis://default:hunter2hunter2@redis:6379" },
        ];
    }),
];
