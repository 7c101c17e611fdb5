import { cel, message, template, type Cel } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** Default of maxUnavailable and maxSurge. */
export const DEFAULT_PERCENTAGE = "25%";

/** A replica count for which every percentage is at least one pod. */
export const MANY = 100;

/** Converts a number or percentage to pods, rounded down as Kubernetes does for maxUnavailable. */
export function toPodCount(value: unknown, replicas: number): number {
    const [, percent] = /^(\d+)%$/.exec(String(value)) ?? [];
    return percent === undefined ? Number(value) : Math.floor((Number(percent) * replicas) / 100);
}

/** @returns false for pods with a claim or a host port, which a second pod could not use. */
export function canRunInParallel({ spec, containers }: Pod): boolean {
    const ports = containers.flatMap((container) => container.spec.ports ?? []);
    const hasClaim = spec.volumes?.some((volume) => volume.persistentVolumeClaim) ?? false;
    return !hasClaim && !spec.hostNetwork && !ports.some(({ hostPort }) => hostPort);
}

/** The strategy that can start new pods before it stops old ones. */
export const ROLLING = "RollingUpdate";

export const AT = {
    type: "spec.strategy.type",
    maxUnavailable: "spec.strategy.rollingUpdate.maxUnavailable",
    maxSurge: "spec.strategy.rollingUpdate.maxSurge",
};

export const notRolling = template((type) => message`has strategy ${type}; allowed: ${ROLLING}`);
export const unavailable = template((value) => message`has maxUnavailable ${value}; allowed: 0`);
export const withoutSurge = template(
    (value) => message`has maxSurge ${value}; allowed: more than 0`,
);

const conditions = [
    cel`object.kind == 'Deployment' && size(variables.serving) > 0`,
    cel`!variables.pod.?volumes.orValue([]).exists(v, has(v.persistentVolumeClaim))`,
    cel`!variables.pod.?hostNetwork.orValue(false)`,
    cel`!variables.containers.exists(c, c.?ports.orValue([]).exists(p, p.?hostPort.orValue(0) != 0))`,
].map((one) => one.cel);
const strategies = { cel: `${conditions.join(" && ")} ? [object.spec.strategy] : []` };
const toPodCountInCel = (replicas: Cel) =>
    cel`type(value) == string ? int(value.replace('%', '')) * ${replicas} / 100 : int(value)`;

/** The checks of update strategies in CEL, after the API server has set its defaults. */
export const updateChecks = (explicit: boolean): readonly AdmissionCheck[] => [
    {
        target: "object",
        each: { strategy: strategies },
        violated: cel`strategy.type != ${ROLLING}`,
        message: notRolling(cel`strategy.type`),
        path: AT.type,
    },
    {
        target: "object",
        each: { strategy: strategies, value: cel`[?strategy.?rollingUpdate.?maxUnavailable]` },
        violated: cel`${toPodCountInCel(explicit ? cel`${MANY}` : cel`object.spec.replicas`)} > 0`,
        message: unavailable(cel`value`),
        path: AT.maxUnavailable,
    },
    {
        target: "object",
        each: { strategy: strategies, value: cel`[?strategy.?rollingUpdate.?maxSurge]` },
        violated: cel`${toPodCountInCel(cel`${MANY}`)} == 0`,
        message: withoutSurge(cel`value`),
        path: AT.maxSurge,
    },
];
