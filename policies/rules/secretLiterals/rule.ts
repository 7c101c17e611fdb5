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
    title: "No secret is written into an environment, a command or a ConfigMap.",
    why: "Whoever may read pods or ConfigMaps reads it there, and so does everybody who reads the repository, for as long as its history is kept.",
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
            description: "passwords that are tried first by whoever has none",
        }),
        harmless: Type.Array(Type.String(), {
            default: [],
            description: "globs of variables and keys that only look as if they held a secret",
        }),
    },
    places: textsOf,
    *check({ fix, ...text }, { wellKnown, harmless }) {
        if (harmless.some((one) => glob(one, text.name ?? ""))) return;
        for (const what of secretsIn(text, wellKnown)) yield { what, at: "", fix };
    },
    unsaid: "commands, ConfigMaps and environments of more than 30,000 characters, which would cost more than expressions may; what a variable's text assigns, which takes groups; a shape of keys that takes a look-ahead; names in camelCase",
    admission: ({ wellKnown, harmless }) => secretsInEnvironment(wellKnown, harmless),
});
