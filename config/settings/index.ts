import { OVERLAPPING_SECRETS } from "@property-search/contract";
import { SERVICE_SETTINGS, setting, type Setting } from "@property-search/contract/settings";
import { ALERTS } from "./alerts.ts";
import { CERTIFICATES } from "./certificates.ts";
import { EDGE } from "./edge.ts";
import { EXAMPLE } from "./example.ts";
import { INSIGHTS } from "./insights.ts";
import { MONITORING } from "./monitoring.ts";
import { NETWORK } from "./network.ts";
import { REDIS } from "./redis.ts";
import { SECRET, type Condition, type ProgramRow } from "./row.ts";
import { SERVICE } from "./service.ts";
import { STACK } from "./stack.ts";
import { WORKLOADS } from "./workloads.ts";

type Rows = Readonly<Record<string, ProgramRow>>;

/** The settings that only the program reads, by key. */
export const SETTINGS = {
    ...STACK,
    ...WORKLOADS,
    ...SERVICE,
    ...REDIS,
    ...NETWORK,
    ...EDGE,
    ...CERTIFICATES,
    ...MONITORING,
    ...ALERTS,
    ...INSIGHTS,
    ...EXAMPLE,
} satisfies Rows;

/** All keys of the config with their rows, in the groups and the order of Pulumi.yaml, by the group's title. */
export const GROUPS: Readonly<Record<string, Rows>> = {
    Stack: STACK,
    Workloads: WORKLOADS,
    "Service, tenants, autoscaling and tracing": { ...SERVICE, ...ofService() },
    Redis: { ...REDIS, ...ofRotation() },
    Network: NETWORK,
    Gateway: EDGE,
    Certificates: CERTIFICATES,
    "Monitoring and Grafana": MONITORING,
    Alerts: ALERTS,
    Insights: INSIGHTS,
    Example: EXAMPLE,
};
export const ROWS: ReadonlyMap<string, ProgramRow> = new Map(
    Object.values(GROUPS).flatMap(Object.entries<ProgramRow>),
);

function ofService(): Rows {
    const rows: Readonly<Record<string, Setting>> = SERVICE_SETTINGS;
    const keyed = Object.values(rows).flatMap(({ key, usedIf, ...row }) => {
        if (key === undefined) return [];
        const [name = "", isWanted] = usedIf ?? [];
        const used: Condition[] = isWanted
            ? [[rows[name]?.key ?? "", (text = "") => key === rows[name]?.key || isWanted(text)]]
            : [];
        return [[key, { ...row, usedIf: used }] as const];
    });
    return Object.fromEntries(keyed);
}

function ofRotation(): Rows {
    const more = { ...SECRET, required: undefined };
    const pairs = Object.entries(OVERLAPPING_SECRETS).flatMap(([key, { next, previous }]) => {
        const kind = SETTINGS[key as keyof typeof OVERLAPPING_SECRETS];
        return [
            [
                next,
                setting(kind, "", more)`
                    Next value of ${key}, accepted before any client uses it. \`make rotate\` sets and removes it.`,
            ],
            [
                previous,
                setting(kind, "", more)`
                    Previous value of ${key}, accepted until no client uses it. \`make rotate\` sets and removes it.`,
            ],
        ] as const;
    });
    return Object.fromEntries(pairs);
}

/** As the language host hands a default to a program: text, or JSON. */
export function textOf(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
