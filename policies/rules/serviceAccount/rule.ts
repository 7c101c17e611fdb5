import { Type } from "typebox";
import { cel, matchesAny, message, template } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { podRule } from "../../engine/rule.ts";

const AT = "automountServiceAccountToken";
const DEFAULT = "mounts a token of the namespace's default service account";
const MOUNTED = cel`variables.pod.?automountServiceAccountToken.orValue(true) ? [variables.pod.?serviceAccountName.or(variables.pod.?serviceAccount).orValue('')] : []`;
const forbiddenToken = template(
    (name, tokens) => message`mounts a token of ${name}; allowed: ${tokens}`,
);
const formatAllowed = (tokens: readonly string[]) => tokens.join(", ") || "none";

export const serviceAccount = podRule({
    name: "service-account",
    title: "Only allowed service accounts have their token mounted in pods, and never the default one.",
    why: "An attacker in a pod with a token has the permissions of its service account. Permissions of the default account apply to every pod without one of its own.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting",
    framework: {
        name: "CIS Kubernetes Benchmark",
        version: "1.11",
        reference: "5.1.6",
        specification: "Ensure that Service Account Tokens are only mounted where necessary",
    },
    settings: {
        tokens: Type.Array(Type.String(), {
            default: ["*"],
            description:
                "globs of service accounts, other than the default, whose token may be mounted",
        }),
    },
    *check({ spec }, { tokens }) {
        const automount = spec.automountServiceAccountToken ?? undefined;
        if (automount === false) return;
        // The API server reads both fields; the second one is deprecated.
        const name = spec.serviceAccountName ?? spec.serviceAccount ?? "";
        const isDefault = name === "" || name === "default";
        if (!isDefault && tokens.some((one) => matchesGlob(one, name))) return;
        yield {
            message: isDefault ? DEFAULT : forbiddenToken(name, formatAllowed(tokens)),
            path: AT,
            isMissing: automount === undefined || name === "",
            fix: { automountServiceAccountToken: false },
        };
    },
    // A pod with an account of its own may need the token.
    remediate({ spec }) {
        const name = spec.serviceAccountName ?? spec.serviceAccount ?? "";
        if (name === "" || name === "default") spec.automountServiceAccountToken ??= false;
    },
    admission: ({ tokens }) => {
        const account = cel`account`;
        const isDefault = cel`account in ['', 'default']`;
        const violated = cel`${isDefault} || !${matchesAny(tokens, account)}`;
        const message = cel`${isDefault} ? ${DEFAULT} : ${forbiddenToken(account, formatAllowed(tokens))}`;
        return [{ target: "pod", each: { account: MOUNTED }, violated, message, path: AT }];
    },
});
