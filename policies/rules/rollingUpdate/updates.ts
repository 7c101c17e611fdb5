import { cel, said, words, type Cel } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** Default of maxUnavailable and maxSurge. */
export const DEFAULT_SHARE = "25%";

/** A replica count for which every percentage is at least one pod. */
export const MANY = 100;

/** Converts a number or percentage to pods, rounded down as Kubernetes does for maxUnavailable. */
export function shareOf(value: unknown, replicas: number): number {
    const [, percent] = /^(\d+)%$/.exec(String(value)) ?? [];
    return percent === undefined ? Number(value) : Math.floor((Number(percent) * replicas) / 100);
}

/** @returns false for pods with a claim or a host port, which a second pod could not use. */
export function mayRunTwice({ spec, containers }: Pod): boolean {
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

export const notRolling = words((type) => said`has strategy ${type}; allowed: ${ROLLING}`);
export const unavailable = words((value) => said`has maxUnavailable ${value}; allowed: 0`);
export const withoutSurge = words((value) => said`has maxSurge ${value}; allowed: more than 0`);

const concerned = [
    cel`object.kind == 'Deployment' && size(variables.serving) > 0`,
    cel`!variables.pod.?volumes.orValue([]).exists(v, has(v.persistentVolumeClaim))`,
    cel`!variables.pod.?hostNetwork.orValue(false)`,
    cel`!variables.containers.exists(c, c.?ports.orValue([]).exists(p, p.?hostPort.orValue(0) != 0))`,
].map((one) => one.cel);
const strategies = { cel: `${concerned.join(" && ")} ? [object.spec.strategy] : []` };
const shareIn = (replicas: Cel) =>
    cel`type(value) == string ? int(value.replace('%', '')) * ${replicas} / 100 : int(value)`;

/** The checks of update strategies in CEL, after the API server has set its defaults. */
export const updates = (explicit: boolean): readonly Admission[] => [
    {
        of: "object",
        each: { strategy: strategies },
        violated: cel`strategy.type != ${ROLLING}`,
        what: notRolling(cel`strategy.type`),
        at: AT.type,
    },
    {
        of: "object",
        each: { strategy: strategies, value: cel`[?strategy.?rollingUpdate.?maxUnavailable]` },
        violated: cel`${shareIn(explicit ? cel`${MANY}` : cel`object.spec.replicas`)} > 0`,
        what: unavailable(cel`value`),
        at: AT.maxUnavailable,
    },
    {
        of: "object",
        each: { strategy: strategies, value: cel`[?strategy.?rollingUpdate.?maxSurge]` },
        violated: cel`${shareIn(cel`${MANY}`)} == 0`,
        what: withoutSurge(cel`value`),
        at: AT.maxSurge,
    },
];
