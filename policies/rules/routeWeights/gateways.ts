import type { Finding } from "../../engine/rule.ts";
import { json, list, type Json, type KubernetesObject } from "../../kubernetes/object.ts";
import { GROUP, references, type Reference } from "../../kubernetes/routes.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

/** The Gateways that a route asks to be part of. */
export function gatewaysOf(route: KubernetesObject): Reference[] {
    return references(route, json(route.body.spec).parentRefs, "spec.parentRefs").filter(
        ({ ref: { group = GROUP, kind = "Gateway" } }) => group === GROUP && kind === "Gateway",
    );
}

/** Why a Gateway does not take a route: it is not there, has no such listener, or none for its namespace. */
export function* untaken(
    route: KubernetesObject,
    parent: Reference,
    stack: Stack,
): Generator<Finding> {
    const { at, ref, namespace, name } = parent;
    const label = `Gateway ${namespace}/${name}`;
    const gateway = stack.find("Gateway", namespace, name);
    if (!gateway) {
        // One that the stack does not show may be somebody else's, unless the stack has those of its namespace.
        const [other] = stack.of("Gateway").filter((one) => one.namespace === namespace);
        if (!other || namespace === "") return;
        const fix = { namespace, name: other.name };
        yield { what: `is for ${label}, which is not there`, at: `${at}.name`, fix };
        return;
    }
    const all = list(json(gateway.body.spec).listeners);
    const listeners = all.filter((listener) => isMeant(listener, ref));
    if (listeners.length === 0) {
        const names = all.map((listener) => String(listener.name));
        const { sectionName = `port ${String(ref.port)}` } = ref;
        const what = `is for listener ${String(sectionName)} of ${label}, which has ${names.join(", ")}`;
        yield { what, at: `${at}.sectionName`, fix: { name, sectionName: names[0] } };
    } else if (!listeners.some((one) => takesFrom(route.namespace, one, gateway, stack))) {
        const what = `is for ${label}, which takes no routes of namespace ${route.namespace} there`;
        yield { what, at, fix: { allowedRoutes: { namespaces: allowing(route.namespace) } } };
    }
}

function isMeant({ name, port }: Json, ref: Json): boolean {
    const isNamed = ref.sectionName === undefined || ref.sectionName === name;
    return isNamed && (ref.port === undefined || ref.port === port);
}

/** So it does where it cannot be known: where a namespace has no name yet, or nobody shows its labels. */
function takesFrom(
    namespace: string,
    { allowedRoutes }: Json,
    gateway: KubernetesObject,
    stack: Stack,
): boolean {
    if (namespace === "" || gateway.namespace === "") return true;
    const { from = "Same", selector } = json(json(allowedRoutes).namespaces);
    if (from === "Same") return namespace === gateway.namespace;
    if (from !== "Selector") return from !== "None";
    const found = stack.of("Namespace").find(({ name }) => name === namespace);
    if (!found) return true;
    const labels = { ...json(json(found.body.metadata).labels), [NAME]: namespace };
    return matches(selector, labels);
}

/** Every namespace has this label, set by the API server. */
const NAME = "kubernetes.io/metadata.name";

function allowing(namespace: string) {
    return { from: "Selector", selector: { matchLabels: { [NAME]: namespace } } };
}
