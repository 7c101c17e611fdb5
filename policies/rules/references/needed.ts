import { json, list, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { ROUTES } from "../../kubernetes/routes.ts";
import { neededByPods, type Needed } from "./neededByPods.ts";

type Reader = (object: KubernetesObject) => Generator<Needed>;

/** Readers of references by kind, except for kinds with pods. */
const READERS: Readonly<Record<string, Reader>> = {
    RoleBinding: ofBinding,
    ClusterRoleBinding: ofBinding,
    Ingress: ofIngress,
    ScaledObject: ofTriggers,
    ScaledJob: ofTriggers,
    TriggerAuthentication: ofTriggerAuthentication,
    ValidatingWebhookConfiguration: ofWebhooks,
    MutatingWebhookConfiguration: ofWebhooks,
    APIService: ofApiService,
    IngressRoute: ofIngressRoute,
    ...Object.fromEntries(ROUTES.map((kind) => [kind, ofRoute])),
};

/** Kinds that refer to other objects, except for kinds with pods. */
export const NAMING = Object.keys(READERS);

export function* neededBy(object: KubernetesObject): Generator<Needed> {
    const pod = podOf(object);
    if (pod) yield* neededByPods(pod);
    else yield* READERS[object.kind]?.(object) ?? [];
}

function* ofBinding({ body, namespace }: KubernetesObject): Generator<Needed> {
    const { kind, name } = json(body.roleRef);
    if (kind === "Role") yield { kind, namespace, name: nameOf(name), at: "roleRef.name" };
    for (const [index, subject] of list(body.subjects).entries()) {
        if (subject.kind !== "ServiceAccount") continue;
        const of = nameOf(subject.namespace, namespace);
        const at = `subjects[${index}].name`;
        yield { kind: "ServiceAccount", namespace: of, name: nameOf(subject.name), at };
    }
}

function* ofIngress({ body, namespace }: KubernetesObject): Generator<Needed> {
    const { defaultBackend, rules } = json(body.spec);
    const paths = list(rules).flatMap(({ http }) => list(json(http).paths));
    for (const backend of [defaultBackend, ...paths.map((path) => path.backend)]) {
        const { name } = json(json(backend).service);
        if (name === undefined) continue;
        yield { kind: "Service", namespace, name: nameOf(name), at: "spec.rules" };
    }
}

function* ofTriggers({ body, namespace }: KubernetesObject): Generator<Needed> {
    for (const [index, { authenticationRef }] of list(json(body.spec).triggers).entries()) {
        const { name, kind = "TriggerAuthentication" } = json(authenticationRef);
        if (name === undefined || kind !== "TriggerAuthentication") continue;
        const at = `spec.triggers[${index}].authenticationRef`;
        yield { kind, namespace, name: nameOf(name), at };
    }
}

function* ofTriggerAuthentication({ body, namespace }: KubernetesObject): Generator<Needed> {
    for (const [index, { name, key }] of list(json(body.spec).secretTargetRef).entries()) {
        const at = `spec.secretTargetRef[${index}]`;
        yield { kind: "Secret", namespace, name: nameOf(name), at, keys: [nameOf(key)] };
    }
}

function* ofWebhooks({ body }: KubernetesObject): Generator<Needed> {
    for (const { name, clientConfig } of list(body.webhooks)) {
        yield* service(
            json(clientConfig).service,
            `webhooks[${nameOf(name)}].clientConfig.service`,
        );
    }
}

function* ofApiService({ body }: KubernetesObject): Generator<Needed> {
    yield* service(json(body.spec).service, "spec.service");
}

function* service(value: unknown, at: string): Generator<Needed> {
    const { namespace, name } = json(value);
    if (name === undefined) return;
    yield { kind: "Service", namespace: nameOf(namespace), name: nameOf(name), at };
}

function* ofRoute({ body, namespace }: KubernetesObject): Generator<Needed> {
    for (const [index, rule] of list(json(body.spec).rules).entries()) {
        const filters = [rule, ...list(rule.backendRefs)].flatMap((one) => list(one.filters));
        for (const { extensionRef } of filters) {
            const { kind, name } = json(extensionRef);
            if (kind === undefined) continue;
            const at = `spec.rules[${index}].filters`;
            yield { kind: nameOf(kind), namespace, name: nameOf(name), at };
        }
    }
}

/** Traefik's own kind; a name with `@` belongs to another provider. */
function* ofIngressRoute({ body, namespace }: KubernetesObject): Generator<Needed> {
    for (const [index, route] of list(json(body.spec).routes).entries()) {
        const refs = [
            ...list(route.middlewares).map((ref) => ["Middleware", ref] as const),
            ...list(route.services).map((ref): [string, Json] => [
                nameOf(ref.kind, "Service"),
                ref,
            ]),
        ];
        for (const [kind, ref] of refs) {
            const name = nameOf(ref.name);
            if (kind === "TraefikService" || name.includes("@")) continue;
            const of = nameOf(ref.namespace, namespace);
            yield { kind, namespace: of, name, at: `spec.routes[${index}]` };
        }
    }
}

/** @returns a name, or `fallback` if the value is not a string. */
function nameOf(value: unknown, fallback = ""): string {
    return typeof value === "string" ? value : fallback;
}
