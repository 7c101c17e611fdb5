import { asJson, asList, type Json, type KubernetesObject } from "./object.ts";
import { isLongRunning, type Pod } from "./pods.ts";

/** @returns the selector of a Service; undefined if its endpoints are managed otherwise. */
export function getSelector({ body }: KubernetesObject): Json | undefined {
    const { type, selector } = asJson(body.spec);
    const labels = asJson(selector);
    return type === "ExternalName" || Object.keys(labels).length === 0 ? undefined : labels;
}

/** A port of a Service whose target port no container has. */
export interface DeadPort {
    readonly index: number;
    readonly port: unknown;
    readonly target: unknown;
    /** Ports of the containers, by name if they have one. */
    readonly available: readonly (string | number)[];
}

/**
 * Finds ports without a target. Port names have to be declared by a container; port numbers only if `declared`, since
 * containers may listen on undeclared ports.
 */
export function findDeadPorts(
    { body }: KubernetesObject,
    pods: readonly Pod[],
    declared: boolean,
): DeadPort[] {
    return asList(asJson(body.spec).ports).flatMap((one, index) => {
        const { port, targetPort: target = port, protocol = "TCP" } = one;
        if (typeof target === "number" && !declared) return [];
        const ports = pods.flatMap(listPorts).filter((of) => (of.protocol ?? "TCP") === protocol);
        if (ports.some((of) => of.name === target || of.containerPort === target)) return [];
        const available = new Set(ports.map(({ name, containerPort }) => name ?? containerPort));
        return [{ index, port, target, available: [...available] }];
    });
}

function listPorts({ containers }: Pod) {
    return containers.filter(isLongRunning).flatMap(({ spec }) => spec.ports ?? []);
}
