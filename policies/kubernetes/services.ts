import { json, list, type Json, type KubernetesObject } from "./object.ts";
import { isLasting, type Pod } from "./pods.ts";

/** @returns the selector of a Service; undefined if its endpoints are managed otherwise. */
export function selectorOf({ body }: KubernetesObject): Json | undefined {
    const { type, selector } = json(body.spec);
    const labels = json(selector);
    return type === "ExternalName" || Object.keys(labels).length === 0 ? undefined : labels;
}

/** A port of a Service whose target port no container has. */
export interface DeadPort {
    readonly index: number;
    readonly port: unknown;
    readonly target: unknown;
    /** Ports of the containers, by name if they have one. */
    readonly has: readonly (string | number)[];
}

/**
 * Finds ports without a target. Port names have to be declared by a container; port numbers only if `declared`, since
 * containers may listen on undeclared ports.
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
