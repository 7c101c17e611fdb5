import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, NAME, object, podSpec } from "../../test/support/manifests.ts";
import { references } from "./rule.ts";

const account = object("v1", "ServiceAccount");
const secret = object("v1", "Secret", { stringData: { password: "[secret]" } });
const env = (key: string, more = {}) => [
    { name: "PASSWORD", valueFrom: { secretKeyRef: { name: NAME, key, ...more } } },
];
const ofEnv = (key: string, more = {}) =>
    deployment(podSpec({}, container({ env: env(key, more) })));
const volumes = [
    { name: "a", secret: { secretName: "lost" } },
    { name: "b", projected: { sources: [{ configMap: { name: "lost" } }] } },
    { name: "c", persistentVolumeClaim: { claimName: "lost" } },
    { name: "d", configMap: { name: "lost", optional: true } },
];
const mounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
const route = object("gateway.networking.k8s.io/v1", "HTTPRoute", {
    spec: {
        rules: [
            {
                filters: [
                    {
                        type: "ExtensionRef",
                        extensionRef: { group: "traefik.io", kind: "Middleware", name: NAME },
                    },
                ],
            },
        ],
    },
});
const binding = (role: string, subject: string) =>
    object("rbac.authorization.k8s.io/v1", "RoleBinding", {
        roleRef: { kind: "Role", name: role },
        subjects: [{ kind: "ServiceAccount", name: subject, namespace: "search" }],
    });
const IN = "Deployment search/service, container service:";
const POD = "Deployment search/service:";
const at = (path: string) => `(spec.template.spec.${path})`;

describeRule(references, {
    compliant: {
        "existing objects": {
            objects: [
                ofEnv("password"),
                account,
                secret,
                route,
                object("traefik.io/v1alpha1", "Middleware"),
                object("rbac.authorization.k8s.io/v1", "Role"),
                binding(NAME, NAME),
            ],
        },
        "what may be left out, what Kubernetes makes, and what another object makes": {
            objects: [
                deployment(
                    podSpec(
                        {
                            serviceAccountName: "default",
                            imagePullSecrets: [{}, { name: "" }],
                            volumes: [
                                { name: "a", configMap: { name: "kube-root-ca.crt" } },
                                { name: "b", secret: { secretName: "lost", optional: true } },
                            ],
                        },
                        container({ env: env("password", { optional: true }) }),
                    ),
                ),
            ],
        },
        "namespaces that others fill too": {
            objects: [
                ofEnv("password"),
                object("postgresql.cnpg.io/v1", "Cluster", { spec: { instances: 3 } }),
            ],
        },
        "objects created outside the stack": {
            objects: [ofEnv("password"), account],
            settings: { external: ["Secret/serv*"] },
        },
        "a Secret that another program fills": {
            objects: [ofEnv("password"), account, object("v1", "Secret")],
        },
        "the claims of a StatefulSet": {
            objects: [
                account,
                {
                    ...deployment(
                        podSpec(
                            {},
                            container({ volumeMounts: [{ name: "data", mountPath: "/a" }] }),
                        ),
                        { volumeClaimTemplates: [{ metadata: { name: "data" } }] },
                    ),
                    kind: "StatefulSet",
                },
            ],
        },
    },
    violating: {
        "what is not there": {
            objects: [
                deployment(
                    podSpec({ volumes }, container({ volumeMounts: mounts, env: env("a") })),
                ),
            ],
            says: [
                `${POD} refers to ServiceAccount search/service, which does not exist ${at("serviceAccountName")}`,
                `${POD} refers to Secret search/lost, which does not exist ${at("volumes[a]")}`,
                `${POD} refers to ConfigMap search/lost, which does not exist ${at("volumes[b]")}`,
                `${POD} refers to PersistentVolumeClaim search/lost, which does not exist ${at("volumes[c]")}`,
                `${IN} refers to Secret search/service, which does not exist ${at("containers[service].env[PASSWORD].valueFrom")}`,
            ],
        },
        "a key that is not there": {
            objects: [ofEnv("pasword"), account, secret],
            says: [
                `${IN} refers to the key pasword of Secret service, which does not exist ${at("containers[service].env[PASSWORD].valueFrom")}`,
            ],
        },
        "a volume that the pod does not have": {
            objects: [
                deployment(podSpec({}, container({ volumeMounts: mounts.slice(0, 1) }))),
                account,
            ],
            says: [
                `${IN} mounts the volume a, which the pod does not define ${at("containers[service].volumeMounts[a]")}`,
            ],
        },
        "a route's Middleware and a binding's role": {
            objects: [deployment(), account, route, binding("lost", "nobody")],
            says: [
                "HTTPRoute search/service: refers to Middleware search/service, which does not exist (spec.rules[0].filters)",
                "RoleBinding search/service: refers to Role search/lost, which does not exist (roleRef.name)",
                "RoleBinding search/service: refers to ServiceAccount search/nobody, which does not exist (subjects[0].name)",
            ],
        },
        "Services behind an Ingress, a webhook and Traefik's own route": {
            objects: [
                deployment(),
                account,
                object("networking.k8s.io/v1", "Ingress", {
                    spec: { defaultBackend: { service: { name: "lost" } } },
                }),
                object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {
                    webhooks: [
                        {
                            name: "a",
                            clientConfig: { service: { name: "lost", namespace: "search" } },
                        },
                    ],
                }),
                object("traefik.io/v1alpha1", "IngressRoute", {
                    spec: {
                        routes: [
                            { services: [{ name: "lost" }], middlewares: [{ name: "a@file" }] },
                        ],
                    },
                }),
            ],
            says: [
                "Ingress search/service: refers to Service search/lost, which does not exist (spec.rules)",
                "ValidatingWebhookConfiguration search/service: refers to Service search/lost, which does not exist (webhooks[a].clientConfig.service)",
                "IngressRoute search/service: refers to Service search/lost, which does not exist (spec.routes[0])",
            ],
        },
    },
    needs: {
        case: "what is not there",
        fields: ["0/spec/template/spec/volumes", "0/spec/template/spec/containers/0/env"],
    },
    ignores: {
        case: "a key that is not there",
        fields: ["0/spec/replicas", "0/spec/template/spec/containers/0/image"],
    },
});
