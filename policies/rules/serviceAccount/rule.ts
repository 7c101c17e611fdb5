import { Type } from "typebox";
import { cel, matchesAny, said, words } from "../../cel/cel.ts";
import { glob } from "../../cel/glob.ts";
import { podRule } from "../../engine/rule.ts";

const AT = "automountServiceAccountToken";
const DEFAULT = "mounts a token of the namespace's default service account";
const MOUNTED = cel`variables.pod.?automountServiceAccountToken.orValue(true) ? [variables.pod.?serviceAccountName.or(variables.pod.?serviceAccount).orValue('')] : []`;
const needless = words((name, tokens) => said`mounts a token of ${name}; allowed: ${tokens}`);
const allowed = (tokens: readonly string[]) => tokens.join(", ") || "none";

export const serviceAccount = podRule({
    name: "service-account",
    title: "A pod mounts a token of the API server only if its service account is one of those that need it, and never the default one.",
    why: "Whoever gets into a pod with a token may do what its account may; what somebody grants the default account, every pod of the namespace gets that names no other.",
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
            description: "globs of service accounts, other than the default, that may have a token",
        }),
    },
    *check({ spec }, { tokens }) {
        const automount = spec.automountServiceAccountToken ?? undefined;
        if (automount === false) return;
        // The API server reads both names, of which the second is the older.
        const name = spec.serviceAccountName ?? spec.serviceAccount ?? "";
        const isDefault = name === "" || name === "default";
        if (!isDefault && tokens.some((one) => glob(one, name))) return;
        yield {
            what: isDefault ? DEFAULT : needless(name, allowed(tokens)),
            at: AT,
            isMissing: automount === undefined || name === "",
            fix: { automountServiceAccountToken: false },
        };
    },
    // Of an account that somebody made it is not known whether the pod needs the token.
    remedy({ spec }) {
        const name = spec.serviceAccountName ?? spec.serviceAccount ?? "";
        if (name === "" || name === "default") spec.automountServiceAccountToken ??= false;
    },
    admission: ({ tokens }) => {
        const account = cel`account`;
        const isDefault = cel`account in ['', 'default']`;
        const violated = cel`${isDefault} || !${matchesAny(tokens, account)}`;
        const what = cel`${isDefault} ? ${DEFAULT} : ${needless(account, allowed(tokens))}`;
        return [{ of: "pod", each: { account: MOUNTED }, violated, what, at: AT }];
    },
});
