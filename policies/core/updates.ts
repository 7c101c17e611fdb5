import type { Pod } from "./pods.ts";

/** Of maxUnavailable and of maxSurge, where they are not written. */
export const DEFAULT_SHARE = "25%";

/** So many replicas that any share of them is at least one. */
export const MANY = 100;

/** Pods that a number or a percentage comes to, rounded down as Kubernetes does with maxUnavailable. */
export function shareOf(value: unknown, replicas: number): number {
    const [, percent] = /^(\d+)%$/.exec(String(value)) ?? [];
    return percent === undefined ? Number(value) : Math.floor((Number(percent) * replicas) / 100);
}

/** Not where it has a volume that may be its own, or a port of its node. */
export function mayRunTwice({ spec, containers }: Pod): boolean {
    const ports = containers.flatMap((container) => container.spec.ports ?? []);
    const hasClaim = spec.volumes?.some((volume) => volume.persistentVolumeClaim) ?? false;
    return !hasClaim && !spec.hostNetwork && !ports.some(({ hostPort }) => hostPort);
}
