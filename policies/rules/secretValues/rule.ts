import { Type } from "typebox";
import { glob } from "../../cel/glob.ts";
import { objectRule } from "../../engine/rule.ts";
import { json } from "../../kubernetes/object.ts";
import { isLiteral, secretsIn } from "../../kubernetes/secretsInText.ts";

/** Keys beside a secret that are none: a name, an authority. */
const HARMLESS = ["username", "user", "ca.crt", "tls.crt", "namespace", "type", "*.crt"];

export const secretValues = objectRule({
    name: "secret-values",
    title: "No Secret is written down with its values.",
    why: "A Secret in a manifest is base64, which anybody reads, in the repository and for as long as its history is kept.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/#avoid-sharing-secret-manifests",
    framework: {
        name: "OWASP Kubernetes Top Ten",
        version: "2022",
        reference: "K08",
        specification: "Secrets management failures",
    },
    settings: {
        harmless: Type.Array(Type.String(), {
            default: HARMLESS,
            description: "globs of keys whose values are no secrets",
        }),
    },
    kinds: ["Secret"],
    *check({ body, urn }, { harmless }) {
        // Those of a program come from its config, where they are encrypted.
        if (urn !== undefined) return;
        for (const field of ["data", "stringData"] as const) {
            const values = json(body[field]);
            for (const key of Object.keys(values)) {
                if (harmless.some((one) => glob(one, key))) continue;
                const value = textOf(values[key]);
                const text = field === "data" ? Buffer.from(value, "base64").toString() : value;
                if (!holdsSecret(text) || !isLiteral(value)) continue;
                const what = `has the value of ${key} written down`;
                yield {
                    what,
                    at: `${field}[${key}]`,
                    fix: "# made by External Secrets, Sealed Secrets or the like, or by a program from its encrypted config",
                };
            }
        }
    },
    unsaid: "since every Secret has its values when it comes to the API server",
});

/** A file holds one where something in it is one; every other text is one, but for the mask of a rendering. */
function holdsSecret(text: string): boolean {
    if (text.trim().includes("\n")) return secretsIn({ text, isCommand: false }, []).size > 0;
    return isLiteral(text) && !/^\[.*\]$/.test(text);
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}
