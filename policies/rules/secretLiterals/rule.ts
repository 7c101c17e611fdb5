import { Type } from "typebox";
import { glob } from "../../cel/glob.ts";
import { placeRule } from "../../engine/rule.ts";
import { secretsIn } from "../../kubernetes/secretsInText.ts";
import { secretsInEnvironment } from "./secretsInCel.ts";
import { textsOf } from "./texts.ts";

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
    framework: {
        name: "OWASP Kubernetes Top Ten",
        version: "2022",
        reference: "K08",
        specification: "Secrets management failures",
    },
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
    places: textsOf,
    *check({ fix, ...text }, { wellKnown, harmless }) {
        if (harmless.some((one) => glob(one, text.name ?? ""))) return;
        for (const what of secretsIn(text, wellKnown)) yield { what, at: "", fix };
    },
    unsaid: "commands, ConfigMaps, environments of more than 30,000 characters (the cost limit of expressions), assignments within a value (which need capture groups), a key format that needs a look-ahead, and names in camelCase",
    admission: ({ wellKnown, harmless }) => secretsInEnvironment(wellKnown, harmless),
});
