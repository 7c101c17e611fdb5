import {
    containerMutation,
    objectMutation,
    type Draft,
    type Mutation,
} from "../../mutations/mutation.ts";

const secretOf = (container: Draft): Draft =>
    (container.env ?? []).find(
        ({ name, valueFrom }: Draft) =>
            valueFrom?.secretKeyRef && /PASSWORD|TOKEN|KEY/.test(name as string),
    );

export const mutations: readonly Mutation[] = [
    containerMutation(
        "secret-literals",
        "a password written down",
        (one) => {
            const { name } = secretOf(one);
            one.env = one.env.map((each: Draft) =>
                each.name === name ? { name, value: "hunter2-hunter2" } : each,
            );
        },
        (one) => secretOf(one) !== undefined,
    ),
    containerMutation("secret-literals", "a known default password", (one) => {
        one.env = [...(one.env ?? []), { name: "ADMIN_PASSWORD", value: "admin" }];
    }),
    objectMutation("secret-literals", "ConfigMap", "a private key in a ConfigMap", ({ data }) => {
        data.key =
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----\n";
    }),
    containerMutation("secret-literals", "a URL with its password", (one) => {
        one.env = [
            ...(one.env ?? []),
            { name: "REDIS_URL", value: "redis://default:hunter2hunter2@redis:6379" },
        ];
    }),
];
