import { asJson, asList, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { ROUTES } from "../../kubernetes/routes.ts";
import { listPodReferences, type ObjectReference } from "./podReferences.ts";

type Reader = (object: KubernetesObject) => Generator<ObjectReference>;

/** Readers of references by kind, except for kinds with pods. */
const READERS: Readonly<Record<string, Reader>> = {
    RoleBinding: readBinding,
    ClusterRoleBinding: readBinding,
    Ingress: readIngress,
    ScaledObject: readTriggers,
    ScaledJob: readTriggers,
    TriggerAuthentication: readTriggerAuthentication,
    ValidatingWebhookConfiguration: readWebhooks,
    MutatingWebhookConfiguration: readWebhooks,
    APIService: readApiService,
    IngressRoute: readIngressRoute,
    ...Object.fromEntries(ROUTES.map((kind) => [kind, readRoute])),
};

/** Kinds that refer to other objects, except for kinds with pods. */
export const REFERRING_KINDS = Object.keys(READERS);

export function* listReferences(object: KubernetesObject): Generator<ObjectReference> {
    const pod = getPod(object);
    if (pod) yield* listPodReferences(pod);
    else yield* READERS[object.kind]?.(object) ?? [];
}

function* readBinding({ body, namespace }: KubernetesObject): Generator<ObjectReference> {
    const { kind, name } = asJson(body.roleRef);
    if (kind === "Role") yield { kind, namespace, name: toName(name), at: "roleRef.name" };
    for (const [index, subject] of asList(body.subjects).entries()) {
        if (subject.kind !== "ServiceAccount") continue;
        const of = toName(subject.namespace, namespace);
        const at = `subjects[${index}].name`;
        yield { kind: "ServiceAccount", namespace: of, name: toName(subject.name), at };
    }
}

function* readIngress({ body, namespace }: KubernetesObject): Generator<ObjectReference> {
    const { defaultBackend, rules } = asJson(body.spec);
    const paths = asList(rules).flatMap(({ http }) => asList(asJson(http).paths));
    for (const backend of [defaultBackend, ...paths.map((path) => path.backend)]) {
        const { name } = asJson(asJson(backend).service);
        if (name === undefined) continue;
        yield { kind: "Service", namespace, name: toName(name), at: "spec.rules" };
    }
}

function* readTriggers({ body, namespace }: KubernetesObject): Generator<ObjectReference> {
    for (const [index, { authenticationRef }] of asList(asJson(body.spec).triggers).entries()) {
        const { name, kind = "TriggerAuthentication" } = asJson(authenticationRef);
        if (name === undefined || kind !== "TriggerAuthentication") continue;
        const at = `spec.triggers[${index}].authenticationRef`;
        yield { kind, namespace, name: toName(name), at };
    }
}

function* readTriggerAuthentication({
    body,
    namespace,
}: KubernetesObject): Generator<ObjectReference> {
    for (const [index, { name, key }] of asList(asJson(body.spec).secretTargetRef).entries()) {
        const at = `spec.secretTargetRef[${index}]`;
        yield { kind: "Secret", namespace, name: toName(name), at, keys: [toName(key)] };
    }
}

function* readWebhooks({ body }: KubernetesObject): Generator<ObjectReference> {
    for (const { name, clientConfig } of asList(body.webhooks)) {
        yield* readService(
            asJson(clientConfig).service,
            `webhooks[${toName(name)}].clientConfig.service`,
        );
    }
}

function* readApiService({ body }: KubernetesObject): Generator<ObjectReference> {
    yield* readService(asJson(body.spec).service, "spec.service");
}

function* readService(value: unknown, at: string): Generator<ObjectReference> {
    const { namespace, name } = asJson(value);
    if (name === undefined) return;
    yield { kind: "Service", namespace: toName(namespace), name: toName(name), at };
}

function* readRoute({ body, namespace }: KubernetesObject): Generator<ObjectReference> {
    for (const [index, rule] of asList(asJson(body.spec).rules).entries()) {
        const filters = [rule, ...asList(rule.backendRefs)].flatMap((one) => asList(one.filters));
        for (const { extensionRef } of filters) {
            const { kind, name } = asJson(extensionRef);
            if (kind === undefined) continue;
            const at = `spec.rules[${index}].filters`;
            yield { kind: toName(kind), namespace, name: toName(name), at };
        }
    }
}

/** Traefik's own kind; a name with `@` belongs to another provider. */
function* readIngressRoute({ body, namespace }: KubernetesObject): Generator<ObjectReference> {
    for (const [index, route] of asList(asJson(body.spec).routes).entries()) {
        const refs = [
            ...asList(route.middlewares).map((ref) => ["Middleware", ref] as const),
            ...asList(route.services).map((ref): [string, Json] => [
                toName(ref.kind, "Service"),
                ref,
            ]),
        ];
        for (const [kind, ref] of refs) {
            const name = toName(ref.name);
            if (kind === "TraefikService" || name.includes("@")) continue;
            const of = toName(ref.namespace, namespace);
            yield { kind, namespace: of, name, at: `spec.routes[${index}]` };
        }
    }
}

/** @returns a name, or `fallback` if the value is not a string. */
function toName(value: unknown, fallback = ""): string {
    return typeof value === "string" ? value : fallback;
}
