import type { Finding } from "../../engine/rule.ts";
import { asJson, asList, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import { GROUP, isService, listReferences, type Reference } from "../../kubernetes/routes.ts";
import type { Stack } from "../../kubernetes/stack.ts";

/** Lists the backends of each rule of a route. */
export function listBackends(route: KubernetesObject): { path: string; backends: Reference[] }[] {
    return asList(asJson(route.body.spec).rules).map((rule, index) => {
        const path = `spec.rules[${index}].backendRefs`;
        return { path, backends: listReferences(route, rule.backendRefs, path) };
    });
}

/** Reports a backend whose requests get a 500: without Service, port or ReferenceGrant. */
export function* checkBackend(
    route: KubernetesObject,
    backend: Reference,
    stack: Stack,
): Generator<Finding> {
    const { path, ref, namespace, name } = backend;
    if (!isService(ref)) return;
    const service = stack.find("Service", namespace, name);
    const label = `Service ${namespace}/${name}`;
    const ports = asList(asJson(service?.body.spec).ports).map(({ port }) => port);
    if (ports.length > 0 && !ports.includes(ref.port)) {
        const message = `refers to port ${String(ref.port)} of ${label}, which has ${ports.join(", ")}`;
        yield { message, path: `${path}.port`, fix: { name, port: ports[0] } };
    }
    if (!stack.isComplete(namespace)) return;
    if (!service) {
        const existing = stack.ofKind("Service").find((one) => one.namespace === namespace);
        const fix = { namespace, name: existing?.name ?? name };
        yield { message: `refers to ${label}, which does not exist`, path: `${path}.name`, fix };
    } else if (isCrossNamespace(route, backend) && !isGranted(route, backend, stack)) {
        const message = `refers to ${label} without a ReferenceGrant in its namespace for ${route.kind}s of ${route.namespace}`;
        yield { message, path, fix: createGrant(route, backend) };
    }
}

function isCrossNamespace(route: KubernetesObject, { namespace }: Reference): boolean {
    // Without a namespace, the route belongs to the namespace that it is applied to.
    return route.namespace !== "" && route.namespace !== namespace;
}

function isGranted(route: KubernetesObject, to: Reference, stack: Stack): boolean {
    const isFrom = ({ group, kind, namespace }: Json) =>
        group === GROUP && kind === route.kind && namespace === route.namespace;
    const isTo = (one: Json) => isService(one) && (one.name === undefined || one.name === to.name);
    return stack.ofKind("ReferenceGrant").some(({ namespace, body: { spec } }) => {
        if (namespace !== to.namespace) return false;
        return asList(asJson(spec).from).some(isFrom) && asList(asJson(spec).to).some(isTo);
    });
}

function createGrant({ kind, namespace }: KubernetesObject, to: Reference) {
    return {
        apiVersion: `${GROUP}/v1beta1`,
        kind: "ReferenceGrant",
        metadata: { name: `from-${namespace}`, namespace: to.namespace },
        spec: {
            from: [{ group: GROUP, kind, namespace }],
            to: [{ group: "", kind: "Service", name: to.name }],
        },
    };
}
