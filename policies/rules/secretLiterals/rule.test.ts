import { describe, expect, test } from "@jest/globals";
import { formatMessage } from "../../engine/message.ts";
import { describeRule, outcomeOf } from "../../test/support/describeRule.ts";
import {
    container,
    deployment,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { secretLiterals } from "./rule.ts";

const env = (variables: Readonly<Record<string, string>>) =>
    container({ env: Object.entries(variables).map(([name, value]) => ({ name, value })) });
const ofEnv = (variables: Readonly<Record<string, string>>) =>
    deployment(podSpec({}, env(variables)));
const ofArgs = (...args: string[]) => deployment(podSpec({}, container({ args })));
const ofData = (data: Readonly<Record<string, string>>) => object("v1", "ConfigMap", { data });

// In parts, so that nothing takes this file for one that holds secrets.
const SHAPES = {
    "a private key": "-----BEGIN EC PRIVATE" + " KEY-----\nMHcCAQEE\n",
    "an AWS access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1B2".repeat(9),
    "a GitLab token": "glpat-" + "a1B2c".repeat(4),
    "a Slack token": "xoxb-" + "123456789012-abcdef",
    "a Slack webhook": "https://hooks.slack.com/" + "services/T000/B000/XXXX",
    "a Google API key": "AIza" + "a1B2c".repeat(7),
    "a Stripe key": "sk_live_" + "a1B2c".repeat(4),
    "an OpenAI or Anthropic key": "sk-proj-" + "a1B2".repeat(10),
    "a Hugging Face token": "hf_" + "aB".repeat(17),
    "a JSON Web Token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w",
};
const IN = "Deployment search/service, container service:";
const at = (path: string) => `(spec.template.spec.containers[service].${path})`;
const atEnv = (name: string) => at(`env[${name}].value`);
const { CronJob } = ofEachKind(podSpec({}, env({ DB_PASSWORD: "hunter2" })));
const valueFrom = { secretKeyRef: { name: "redis", key: "password" } };

describeRule(secretLiterals, {
    compliant: {
        "secrets from a Secret": {
            objects: [
                deployment(podSpec({}, container({ env: [{ name: "PASSWORD", valueFrom }] }))),
                ofEnv({ REDIS_PASSWORD: "", REDIS_URL: "redis://:$(REDIS_PASSWORD)@redis:6379" }),
                ofEnv({ TOKEN: "$(OTHER)", PASSWORD: "{{ .Values.password }}", SECRET: "$OTHER" }),
                ofArgs("--password=$(PASSWORD)", "--token", "${TOKEN}", "--auth-token-ttl=5m"),
                object("v1", "Secret", { stringData: { password: "hunter2" } }),
            ],
        },
        "what is only about secrets": {
            objects: [
                ofEnv({
                    PASSWORD_FILE: "/run/password",
                    TOKEN: "/var/run/token",
                    SECRET_NAME: "redis",
                    TLS_SECRET: "redis-tls",
                    MAX_TOKEN: "512",
                    NEXT_TOKEN: "abc",
                    DB_SECRET: "db-credentials",
                    existingSecret: "mysecret",
                    CERTIFICATE_SECRET: "wildcard-example-com-2",
                    ENABLE_TOKEN: "true",
                    EMBEDDING_TOKEN_PRICES: "a=1,b=2",
                    COMPASS: "north",
                    REDIS_URL: "redis://redis:6379",
                    IMAGE: "registry:5000/a@sha256:0a0a",
                }),
                ofArgs("--tls-private-key-file=/a.pem", "--token", "--password-file", "a", "-v"),
            ],
        },
        "files that say where secrets are": {
            objects: [
                ofData({
                    "grafana.ini": "admin_password = $__file{/run/a}\n;secret_key = abc\n",
                    "prometheus.yml":
                        "  password_file: /run/a\n  # password: example\n  secret: redis-auth\n",
                    "rules.yml": 'expr: sum by (token) (a{secret="b", token="c"})\n',
                    "a.json": '{"title": "Token", "password": "", "token": "{{ token }}"}',
                    "a.lua": "local token = redis.call('get', KEYS[1])\ntoken = get(key)\n",
                    "redis.conf": "include /run/auth.conf\n# requirepass foobared\n",
                    "sentinel.conf": "requirepass replace-default-auth\n",
                    "certificate.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n",
                }),
            ],
        },
        "what the stack knows to be harmless": {
            objects: [ofEnv({ PUBLIC_TOKEN: "pk-abc" }), ofData({ "demo.token": "abc" })],
            settings: { harmless: ["PUBLIC_*", "demo.*"] },
        },
    },
    violating: {
        "variables with the name of a secret": {
            objects: [
                ofEnv({
                    GF_SECURITY_ADMIN_PASSWORD: "hunter2",
                    ADMIN_TOKEN: "abc",
                    AWS_SECRET_ACCESS_KEY: "abc",
                    apiKey: "abc",
                    DB_PASSWORD1: "123",
                    API_SECRET: "%a(b$c",
                    OAUTH_CLIENT_SECRET: "some-words",
                    SIGNING_SECRET: "x7-9kq2",
                }),
                CronJob,
            ],
            says: [
                ...[
                    "GF_SECURITY_ADMIN_PASSWORD",
                    "ADMIN_TOKEN",
                    "AWS_SECRET_ACCESS_KEY",
                    "apiKey",
                    "DB_PASSWORD1",
                    "API_SECRET",
                    "OAUTH_CLIENT_SECRET",
                    "SIGNING_SECRET",
                ].map((name) => `${IN} sets ${name} to a literal ${atEnv(name)}`),
                "CronJob search/service, container service: sets DB_PASSWORD to a literal (spec.jobTemplate.spec.template.spec.containers[service].env[DB_PASSWORD].value)",
            ],
        },
        "passwords that everybody knows": {
            objects: [
                ofEnv({ GF_SECURITY_ADMIN_PASSWORD: "prom-operator", DB_PASSWORD: "123456" }),
                ofArgs("--admin-password", "admin123"),
                ofData({ "grafana.ini": "[security]\nadmin_password = admin\n" }),
            ],
            says: [
                `${IN} sets GF_SECURITY_ADMIN_PASSWORD to a well-known password ${atEnv("GF_SECURITY_ADMIN_PASSWORD")}`,
                `${IN} sets DB_PASSWORD to a well-known password ${atEnv("DB_PASSWORD")}`,
                `${IN} sets admin-password to a well-known password ${at("args[1]")}`,
                "ConfigMap search/service: sets admin_password to a well-known password (data[grafana.ini])",
            ],
        },
        "commands with secrets in them": {
            objects: [
                ofArgs("--redis.password=hunter2", "--token", "abc"),
                deployment(
                    podSpec(
                        {},
                        container({ command: ["sh", "-c", "export PASSWORD='abc'; redis-cli"] }),
                    ),
                ),
                ofEnv({ JAVA_OPTS: "-Xmx1g -Dspring.datasource.password=abc" }),
                ofEnv({ CONFIG: '{"user": "a", "password": "abc"}' }),
            ],
            says: [
                `${IN} sets redis.password to a literal ${at("args[0]")}`,
                `${IN} sets token to a literal ${at("args[2]")}`,
                `${IN} sets PASSWORD to a literal ${at("command[2]")}`,
                `${IN} sets spring.datasource.password to a literal ${atEnv("JAVA_OPTS")}`,
                `${IN} sets password to a literal ${atEnv("CONFIG")}`,
            ],
        },
        "keys of a shape that is known": {
            objects: Object.values(SHAPES).flatMap((text) => [
                ofEnv({ ANYTHING: text }),
                ofData({ file: `before\n${text}\nafter` }),
            ]),
            says: Object.keys(SHAPES).flatMap((kind) => [
                `${IN} contains ${kind} ${atEnv("ANYTHING")}`,
                `ConfigMap search/service: contains ${kind} (data[file])`,
            ]),
        },
        "URLs with their passwords": {
            objects: [
                ofEnv({ REDIS_URL: "rediss://default:hunter2@redis:6379/0" }),
                ofArgs("--redis.addr=redis://:hunter2@redis:6379"),
                ofData({ file: "url: https://me:hunter2@example.com/a\n" }),
            ],
            says: [
                `${IN} contains a URL with a password ${atEnv("REDIS_URL")}`,
                `${IN} contains a URL with a password ${at("args[0]")}`,
                "ConfigMap search/service: contains a URL with a password (data[file])",
            ],
        },
        "ConfigMaps that should be Secrets": {
            objects: [
                ofData({ password: "hunter2" }),
                ofData({ "app.yml": 'db:\n  password: "hunter2" # ours\n  clientSecret: abc,\n' }),
                ofData({ "redis.conf": "requirepass hunter2\n" }),
            ],
            says: [
                "ConfigMap search/service: sets password to a literal (data[password])",
                "ConfigMap search/service: sets password to a literal (data[app.yml])",
                "ConfigMap search/service: sets clientSecret to a literal (data[app.yml])",
                "ConfigMap search/service: sets requirepass to a literal (data[redis.conf])",
            ],
        },
        "an ephemeral container": {
            objects: [
                object("v1", "Pod", {
                    spec: podSpec({
                        ephemeralContainers: [
                            { name: "debug", env: [{ name: "TOKEN", value: "abc" }] },
                        ],
                    }),
                }),
            ],
            says: [
                "Pod search/service, container debug: sets TOKEN to a literal (spec.ephemeralContainers[debug].env[TOKEN].value)",
            ],
        },
    },
    needs: {
        case: "ConfigMaps that should be Secrets",
        fields: ["0/data", "0/data/password", "1/data/app.yml"],
    },
    ignores: {
        case: "an ephemeral container",
        fields: [
            "0/metadata",
            "0/spec/containers/0/image",
            "0/spec/containers/0/resources",
            "0/spec/ephemeralContainers/0/name",
        ],
    },
});

describe("messages of secret-literals", () => {
    test("holds nothing of the secret", () => {
        const objects = [
            ofEnv({ A_PASSWORD: "hunter2", URL: "redis://:hunter2@redis" }),
            ofArgs("--password=hunter2", "--token", "hunter2"),
            ofData({ password: "hunter2", file: "password: hunter2\nrequirepass hunter2\n" }),
        ];
        const { violations } = outcomeOf(secretLiterals, { objects });
        expect(violations).toHaveLength(7);
        expect(violations.map(formatMessage).join("\n")).not.toContain("hunter2");
    });

    test("an unknown value of one variable hides no other", () => {
        const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
        const one = { objects: [ofEnv({ A: UNKNOWN, B_PASSWORD: "hunter2" })] };
        const { violations, undecided } = outcomeOf(secretLiterals, one, { proxied: true });
        expect(violations).toHaveLength(1);
        expect(undecided).toHaveLength(1);
    });
});
