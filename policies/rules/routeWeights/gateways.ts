import type { Finding } from "../../engine/rule.ts";
import { asJson, asList, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import { GROUP, listReferences, type Reference } from "../../kubernetes/routes.ts";
import { matchesSelector, type Stack } from "../../kubernetes/stack.ts";

/** Lists the Gateways that a route refers to as parents. */
export function listGateways(route: KubernetesObject): Reference[] {
    return listReferences(route, asJson(route.body.spec).parentRefs, "spec.parentRefs").filter(
        ({ ref: { group = GROUP, kind = "Gateway" } }) => group === GROUP && kind === "Gateway",
    );
}

/** Reports why a Gateway does not accept a route: no Gateway, no such listener, or none for the namespace. */
export function* checkGateway(
    route: KubernetesObject,
    parent: Reference,
    stack: Stack,
): Generator<Finding> {
    const { path, ref, namespace, name } = parent;
    const label = `Gateway ${namespace}/${name}`;
    const gateway = stack.find("Gateway", namespace, name);
    if (!gateway) {
        // A Gateway outside the stack may exist, unless the stack defines Gateways in that namespace.
        const [other] = stack.ofKind("Gateway").filter((one) => one.namespace === namespace);
        if (!other || namespace === "") return;
        const fix = { namespace, name: other.name };
        yield { message: `refers to ${label}, which does not exist`, path: `${path}.name`, fix };
        return;
    }
    const all = asList(asJson(gateway.body.spec).listeners);
    const listeners = all.filter((listener) => matchesParentRef(listener, ref));
    if (listeners.length === 0) {
        const names = all.map((listener) => String(listener.name));
        const { sectionName = `port ${String(ref.port)}` } = ref;
        const message = `refers to listener ${String(sectionName)} of ${label}, which has ${names.join(", ")}`;
        yield { message, path: `${path}.sectionName`, fix: { name, sectionName: names[0] } };
    } else if (!listeners.some((one) => acceptsRoutesFrom(route.namespace, one, gateway, stack))) {
        const message = `refers to ${label}, whose listener accepts no routes from namespace ${route.namespace}`;
        yield {
            message,
            path,
            fix: { allowedRoutes: { namespaces: allowNamespace(route.namespace) } },
        };
    }
}

function matchesParentRef({ name, port }: Json, ref: Json): boolean {
    const isNamed = ref.sectionName === undefined || ref.sectionName === name;
    return isNamed && (ref.port === undefined || ref.port === port);
}

/** @returns true if it cannot be decided: the namespace has no name yet, or its labels are unknown. */
function acceptsRoutesFrom(
    namespace: string,
    { allowedRoutes }: Json,
    gateway: KubernetesObject,
    stack: Stack,
): boolean {
    if (namespace === "" || gateway.namespace === "") return true;
    const { from = "Same", selector } = asJson(asJson(allowedRoutes).namespaces);
    if (from === "Same") return namespace === gateway.namespace;
    if (from !== "Selector") return from !== "None";
    const found = stack.ofKind("Namespace").find(({ name }) => name === namespace);
    if (!found) return true;
    const labels = { ...asJson(asJson(found.body.metadata).labels), [NAME]: namespace };
    return matchesSelector(selector, labels);
}

/** Label that the API server sets on every namespace. */
const NAME = "kubernetes.io/metadata.name";

function allowNamespace(namespace: string) {
    return { from: "Selector", selector: { matchLabels: { [NAME]: namespace } } };
}
