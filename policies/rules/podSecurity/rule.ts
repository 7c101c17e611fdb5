import { Type } from "typebox";
import { cel } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { containerFindings, harden, podFindings } from "./standards.ts";

const READ_ONLY = "securityContext.readOnlyRootFilesystem";
const WRITABLE = "can write to its root filesystem";

export const podSecurity = containerRule({
    name: "pod-security",
    title: "Every pod keeps to the Pod Security Standards, to their profile `restricted` unless the stack says `baseline`.",
    why: "Whoever breaks into a container that has more rights than it needs is soon on the node, and from there in every other pod.",
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
            description: "the profile, as the standards name it",
        }),
        readOnlyRootFilesystem: Type.Boolean({
            default: false,
            description: "beyond the standards: containers cannot write to their image's files",
        }),
    },
    ephemeral: true,
    checkPod: (pod, { profile }) => podFindings(pod, profile),
    *check(container, { profile, readOnlyRootFilesystem }) {
        yield* containerFindings(container, profile);
        const { securityContext } = container.spec;
        if (!readOnlyRootFilesystem || securityContext?.readOnlyRootFilesystem) return;
        const isMissing = securityContext?.readOnlyRootFilesystem === undefined;
        const fix = { securityContext: { readOnlyRootFilesystem: true } };
        yield { what: WRITABLE, at: READ_ONLY, isMissing, fix };
    },
    unsaid: "the standards, which the API server has built in: the label `pod-security.kubernetes.io/enforce` of a namespace asks for them",
    admission: ({ readOnlyRootFilesystem }) => [
        {
            asked: readOnlyRootFilesystem,
            violated: cel`!c.?securityContext.?readOnlyRootFilesystem.orValue(false)`,
            what: WRITABLE,
            at: READ_ONLY,
        },
    ],
    remedy(pod, { profile }) {
        if (profile === "restricted") harden(pod);
    },
});
