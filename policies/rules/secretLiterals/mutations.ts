import {
    containerMutation,
    objectMutation,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

const secretOf = (container: Draft): Draft =>
    (container.env ?? []).find(
        ({ name, valueFrom }: Draft) =>
            valueFrom?.secretKeyRef && /PASSWORD|TOKEN|KEY/.test(name as string),
    );

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "a password written down",
        (one) => {
            const { name } = secretOf(one);
            one.env = one.env.map((each: Draft) =>
                each.name === name ? { name, value: "hunter2-hunter2" } : each,
            );
        },
        (one) => secretOf(one) !== undefined,
    ),
    containerMutation("a known default password", (one) => {
        one.env = [...(one.env ?? []), { name: "ADMIN_PASSWORD", value: "admin" }];
    }),
    objectMutation("ConfigMap", "a private key in a ConfigMap", ({ data }) => {
        data.key =
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----\n";
    }),
    containerMutation("a URL with its password", (one) => {
        one.env = [
            ...(one.env ?? []),
            { name: "REDIS_URL", value: "redis://default:hunter2hunter2@redis:6379" },
        ];
    }),
];
