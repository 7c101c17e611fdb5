import { json, list, type Json, type KubernetesObject } from "./object.ts";
import { isLasting, type Pod } from "./pods.ts";

/** The labels that a Service's pods have; undefined where somebody else says where it leads. */
export function selectorOf({ body }: KubernetesObject): Json | undefined {
    const { type, selector } = json(body.spec);
    const labels = json(selector);
    return type === "ExternalName" || Object.keys(labels).length === 0 ? undefined : labels;
}

/** A port of a Service that leads to one which no container has. */
export interface DeadPort {
    readonly index: number;
    readonly port: unknown;
    readonly target: unknown;
    /** What the containers have instead, by name where it has one. */
    readonly has: readonly (string | number)[];
}

/**
 * A name has to be of a declared port. A number need not be: containers may listen on ports that they do not
 * declare, unless `declared`.
 */
export function deadPortsOf(
    { body }: KubernetesObject,
    pods: readonly Pod[],
    declared: boolean,
): DeadPort[] {
    return list(json(body.spec).ports).flatMap((one, index) => {
        const { port, targetPort: target = port, protocol = "TCP" } = one;
        if (typeof target === "number" && !declared) return [];
        const ports = pods.flatMap(portsOf).filter((of) => (of.protocol ?? "TCP") === protocol);
        if (ports.some((of) => of.name === target || of.containerPort === target)) return [];
        const has = new Set(ports.map(({ name, containerPort }) => name ?? containerPort));
        return [{ index, port, target, has: [...has] }];
    });
}

function portsOf({ containers }: Pod) {
    return containers.filter(isLasting).flatMap(({ spec }) => spec.ports ?? []);
}
