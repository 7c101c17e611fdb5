import { Type } from "typebox";
import { matchesGlob } from "../../cel/glob.ts";
import { objectRule, owasp } from "../../engine/rule.ts";
import { asJson } from "../../kubernetes/object.ts";
import { isLiteral, findSecrets } from "../../kubernetes/secretsInText.ts";

/** Keys whose values are not secret, such as names and certificates. */
const HARMLESS = ["username", "user", "ca.crt", "tls.crt", "namespace", "type", "*.crt"];

export const secretValues = objectRule({
    name: "secret-values",
    title: "Manifests contain no Secrets with plaintext values.",
    why: "Values of a Secret in a manifest are only base64-encoded: everyone with access to the repository and its history can read them.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/#avoid-sharing-secret-manifests",
    framework: owasp("K08", "Secrets management failures"),
    settings: {
        harmless: Type.Array(Type.String(), {
            default: HARMLESS,
            description: "globs of keys whose values are not secret",
        }),
    },
    kinds: ["Secret"],
    *check({ body, urn }, { harmless }) {
        // Values of a Pulumi program come from its encrypted config.
        if (urn !== undefined) return;
        for (const field of ["data", "stringData"] as const) {
            const values = asJson(body[field]);
            for (const key of Object.keys(values)) {
                if (harmless.some((one) => matchesGlob(one, key))) continue;
                const value = toText(values[key]);
                const text = field === "data" ? Buffer.from(value, "base64").toString() : value;
                if (!containsSecret(text) || !isLiteral(value)) continue;
                const message = `contains the value of ${key} in plain text`;
                yield {
                    message,
                    path: `${field}[${key}]`,
                    fix: "# create it with External Secrets, Sealed Secrets or similar, or from a program's encrypted config",
                };
            }
        }
    },
    admissionGap: "every Secret contains its values when it reaches the API server",
});

/** Searches files for secrets; any other text is a secret, except the placeholder of a rendering. */
function containsSecret(text: string): boolean {
    if (text.trim().includes("\n")) return findSecrets({ text, isCommand: false }, []).size > 0;
    return isLiteral(text) && !/^\[.*\]$/.test(text);
}

function toText(value: unknown): string {
    return typeof value === "string" ? value : "";
}
