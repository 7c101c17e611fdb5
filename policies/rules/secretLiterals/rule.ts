import { Type } from "typebox";
import { matchesGlob } from "../../cel/glob.ts";
import { placeRule, owasp } from "../../engine/rule.ts";
import { findSecrets } from "../../kubernetes/secretsInText.ts";
import { environmentChecks } from "./secretsInCel.ts";
import { listPlainValues } from "./plaintexts.ts";

const WELL_KNOWN = [
    ...["admin", "admin123", "adminadmin", "changeme", "changeit", "default", "guest", "letmein"],
    ...["minioadmin", "pass", "passw0rd", "password", "postgres", "prom-operator", "redis"],
    ...["root", "secret", "test", "toor", "123456", "12345678"],
];

export const secretLiterals = placeRule({
    name: "secret-literals",
    title: "Environments, commands and ConfigMaps contain no plaintext secrets.",
    why: "Everyone who may read pods or ConfigMaps can read the secret, and so can everyone with access to the repository and its history.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-environment-variables",
    framework: owasp("K08", "Secrets management failures"),
    settings: {
        wellKnown: Type.Array(Type.String(), {
            default: WELL_KNOWN,
            description: "common passwords that attackers try first",
        }),
        harmless: Type.Array(Type.String(), {
            default: [],
            description: "globs of variables and keys that look like secrets but are not",
        }),
    },
    places: listPlainValues,
    *check({ fix, ...text }, { wellKnown, harmless }) {
        if (harmless.some((one) => matchesGlob(one, text.name ?? ""))) return;
        for (const message of findSecrets(text, wellKnown)) yield { message, path: "", fix };
    },
    admissionGap:
        "commands, ConfigMaps, environments of more than 30,000 characters (the cost limit of expressions), assignments within a value (which need capture groups), a key format that needs a look-ahead, and names in camelCase",
    admission: ({ wellKnown, harmless }) => environmentChecks(wellKnown, harmless),
});
