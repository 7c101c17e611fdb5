import { MONITORING_NAMES, NAMESPACES, PORTS } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "../cluster/connect.ts";
import { createForwardedGet } from "../cluster/forwardedService.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";
import { round, type AlertRecord } from "./evidence.ts";

const POLL_MILLISECONDS = 2_000;
/** Labels that distinguish alerts of one name; others are the same or change with the value. */
const SHOWN_LABELS = ["colour", "instance", "certificate", "pod", "job", "integration"];

type Labels = Readonly<Record<string, string>>;

interface Rules {
    readonly data: {
        readonly groups: readonly {
            readonly rules: readonly {
                readonly name: string;
                readonly duration: number;
                readonly alerts: readonly { readonly labels: Labels; readonly state: string }[];
            }[];
        }[];
    };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An alert as Prometheus has it now. */
export interface CurrentAlert {
    readonly alert: string;
    readonly labels: Labels;
    readonly state: "pending" | "firing";
}

/** Reads of Prometheus and Alertmanager. */
export interface AlertSources {
    readonly prometheus: () => Promise<Rules>;
    /** Alerts that Alertmanager has. */
    readonly alertmanager: () => Promise<readonly { readonly labels: Labels }[]>;
}

export interface AlertWatch {
    /** Alerts that began since the watch began. */
    readonly records: (expected: readonly string[]) => readonly AlertRecord[];
    /** Whether an alert of this name has been pending, or is firing now. */
    readonly hasState: (alert: string, state: "pending" | "firing") => boolean;
    /** Whether each alert of this name has ended. */
    readonly isResolved: (alert: string) => boolean;
    /** Whether Alertmanager has an alert of this name now. */
    readonly isNotified: (alert: string) => boolean;
    /**
     * When the last poll began that Prometheus answered, in milliseconds since the epoch: of what began later nothing is
     * known.
     */
    readonly answeredAt: () => number;
    readonly stop: () => Promise<void>;
}

export async function openAlertSources(cluster: Cluster): Promise<AlertSources> {
    const prometheus = await prometheusAccess(cluster);
    const alertmanager = createForwardedGet(cluster, {
        namespace: NAMESPACES.monitoring,
        name: MONITORING_NAMES.alertmanager,
        port: PORTS.alertmanager,
    });
    return {
        prometheus: async () => (await prometheus("/api/v1/rules?type=alert")) as Rules,
        alertmanager: async () =>
            (await alertmanager("/api/v2/alerts")) as readonly { readonly labels: Labels }[],
    };
}

/** Alerts that Prometheus has now. */
export async function readAlerts({ prometheus }: AlertSources): Promise<CurrentAlert[]> {
    const { data } = await prometheus();
    return data.groups.flatMap(({ rules }) =>
        rules.flatMap(({ name, alerts }) =>
            alerts.map(({ labels, state }) => ({
                alert: name,
                labels,
                state: state as CurrentAlert["state"],
            })),
        ),
    );
}

/** Seconds of a rule's `for`. @returns undefined if Prometheus has no such alert */
export async function readForSeconds(
    { prometheus }: AlertSources,
    alert: string,
): Promise<number | undefined> {
    const { data } = await prometheus();
    return data.groups.flatMap(({ rules }) => rules).find(({ name }) => name === alert)?.duration;
}

/**
 * Watches the alerts of a cluster. Alerts that exist at its start are not recorded unless they end and begin again. While
 * Prometheus or Alertmanager does not answer, nothing is known, so nothing begins or ends.
 *
 * @param since start of the rehearsal, in milliseconds since the epoch
 * @param pollMilliseconds pause between two polls. Default: 2 s
 */
export async function watchAlerts(
    sources: AlertSources,
    since: number,
    pollMilliseconds = POLL_MILLISECONDS,
): Promise<AlertWatch> {
    const records = new Map<string, Writable<AlertRecord>>();
    let answeredAt = Date.now();
    let old = new Set((await readAlerts(sources)).map(keyOf));
    let notified = new Set<string>();
    const now = () => round((Date.now() - since) / 1000);

    async function poll(): Promise<void> {
        const begun = Date.now();
        const [current, delivered] = await Promise.all([
            readAlerts(sources).catch(() => undefined),
            sources.alertmanager().catch(() => undefined),
        ]);
        // An Alertmanager that does not answer delivers nothing.
        notified = new Set((delivered ?? []).map(({ labels }) => labels.alertname ?? ""));
        if (!current) return;
        answeredAt = begun;
        const keys = new Set(current.map(keyOf));
        old = new Set([...old].filter((key) => keys.has(key)));
        for (const { alert, labels, state } of current.filter((one) => !old.has(keyOf(one)))) {
            const key = keyOf({ alert, labels });
            const record = records.get(key) ?? { alert, labels: shown(labels), expected: false };
            records.set(key, record);
            record.pendingAt ??= now();
            if (state === "firing") record.firingAt ??= now();
            delete record.resolvedAt;
        }
        for (const [key, record] of records) {
            if (!keys.has(key)) record.resolvedAt ??= now();
            if (
                record.firingAt !== undefined &&
                delivered?.some(({ labels }) => isSame(record, labels))
            )
                record.notifiedAt ??= now();
        }
    }

    const ended = new AbortController();
    async function pollAll(): Promise<void> {
        while (!ended.signal.aborted) {
            await poll();
            await delay(pollMilliseconds, undefined, { signal: ended.signal }).catch(
                () => undefined,
            );
        }
    }
    const finished = pollAll();

    const named = (alert: string) => [...records.values()].filter((one) => one.alert === alert);
    return {
        records: (expected) =>
            [...records.values()]
                // A condition that held shorter than the rule's `for` is no alert, and Watchdog always fires.
                .filter(
                    ({ alert, firingAt }) =>
                        expected.includes(alert) ||
                        (firingAt !== undefined && alert !== "Watchdog"),
                )
                .map((one) => ({ ...one, expected: expected.includes(one.alert) })),
        hasState: (alert, state) =>
            named(alert).some((one) =>
                state === "pending"
                    ? one.pendingAt !== undefined
                    : one.firingAt !== undefined && one.resolvedAt === undefined,
            ),
        isResolved: (alert) => named(alert).every((one) => one.resolvedAt !== undefined),
        isNotified: (alert) => notified.has(alert),
        answeredAt: () => answeredAt,
        stop: async () => {
            ended.abort();
            await finished;
        },
    };
}

function keyOf({ alert, labels }: Pick<CurrentAlert, "alert" | "labels">): string {
    const sorted = Object.entries(labels).sort(([one], [other]) => one.localeCompare(other));
    return `${alert} ${JSON.stringify(sorted)}`;
}

function shown(labels: Labels): Labels {
    return Object.fromEntries(
        Object.entries(labels).filter(([name]) => SHOWN_LABELS.includes(name)),
    );
}

/** Alertmanager's labels are Prometheus' and external ones. */
function isSame({ alert, labels }: Pick<AlertRecord, "alert" | "labels">, other: Labels): boolean {
    return (
        other.alertname === alert &&
        Object.entries(labels).every(([name, value]) => other[name] === value)
    );
}
