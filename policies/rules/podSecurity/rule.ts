import { Type } from "typebox";
import { cel } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { checkContainer, harden, checkPod } from "./standards.ts";

const READ_ONLY = "securityContext.readOnlyRootFilesystem";
const WRITABLE = "can write to its root filesystem";

export const podSecurity = containerRule({
    name: "pod-security",
    title: "Every pod complies with the Pod Security Standards, profile `restricted` unless the stack sets `baseline`.",
    why: "An attacker in a container with unnecessary privileges can reach the node, and from there every other pod.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    framework: {
        name: "Pod Security Standards",
        version: "1.37",
        reference: "restricted",
        specification: "Current best practices of hardening pods",
    },
    settings: {
        profile: Type.Enum(["restricted", "baseline"], {
            default: "restricted",
            description: "profile of the Pod Security Standards",
        }),
        readOnlyRootFilesystem: Type.Boolean({
            default: false,
            description:
                "whether containers must have a read-only root filesystem, beyond the standards",
        }),
    },
    ephemeral: true,
    checkPod: (pod, { profile }) => checkPod(pod, profile),
    *check(container, { profile, readOnlyRootFilesystem }) {
        yield* checkContainer(container, profile);
        const { securityContext } = container.spec;
        if (!readOnlyRootFilesystem || securityContext?.readOnlyRootFilesystem) return;
        const isMissing = securityContext?.readOnlyRootFilesystem === undefined;
        const fix = { securityContext: { readOnlyRootFilesystem: true } };
        yield { message: WRITABLE, path: READ_ONLY, isMissing, fix };
    },
    admissionGap:
        "the standards themselves, which the API server enforces by the namespace label `pod-security.kubernetes.io/enforce`",
    admission: ({ readOnlyRootFilesystem }) => [
        {
            enabled: readOnlyRootFilesystem,
            violated: cel`!c.?securityContext.?readOnlyRootFilesystem.orValue(false)`,
            message: WRITABLE,
            path: READ_ONLY,
        },
    ],
    remediate(pod, { profile }) {
        if (profile === "restricted") harden(pod);
    },
});
