import { createForwardedGet } from "../../operations/cluster/forwardedService.ts";
import { NAMESPACES } from "@property-search/contract";
import type { ReceivedAlert } from "../../local/src/receiver/receiver.ts";
import { eventually, type TestCluster } from "./cluster.ts";
import type { LivePrometheus, LiveRule } from "./prometheus.ts";

/** One alert's way from its cause to its end, in seconds. */
export interface AlertTimes {
    readonly alert: string;
    readonly colour: string;
    /** The rule's `for`. */
    readonly for: number;
    /** From when its expression held until it fired, and until the receiver had it. */
    readonly firedAfter: number;
    readonly receivedAfter: number;
    /** From when its expression held no longer until it was over, and until the receiver knew. */
    readonly endedAfter: number;
    readonly endReceivedAfter: number;
}

/** Alerts by name and colour: `all` for those of both, and nothing for those of neither. */
export interface LiveAlerts {
    /** Waits until the receiver has it. */
    readonly fired: (name: string, colour: string, seconds: number) => Promise<void>;
    /** Waits until Prometheus resolves the alert. */
    readonly resolved: (name: string, colour: string, seconds: number) => Promise<void>;
    /** Waits until the receiver has the resolution; returns all of its times. */
    readonly times: (name: string, colour: string, seconds: number) => Promise<AlertTimes>;
}

/** Alerts of the cluster since now, as its receiver sees them. */
export function watchAlerts(cluster: TestCluster, prometheus: LivePrometheus): LiveAlerts {
    const since = Date.now();
    const receiver = createForwardedGet(cluster, {
        namespace: NAMESPACES.monitoring,
        name: "alert-receiver",
        port: 8080,
    });

    async function received(name: string, colour: string): Promise<ReceivedAlert[]> {
        const all = (await receiver("/received")) as readonly ReceivedAlert[];
        return all.filter(
            ({ labels, received }) =>
                labels.alertname === name &&
                (labels.colour ?? "") === colour &&
                Date.parse(received) >= since,
        );
    }

    /** The first time that it fired, and the end of that. */
    async function findFirst(name: string, colour: string) {
        const all = await received(name, colour);
        const first = all.find(({ status }) => status === "firing");
        const last = all.find(
            ({ status, startsAt }) => status === "resolved" && startsAt === first?.startsAt,
        );
        return { first, last };
    }

    async function fired(name: string, colour: string, seconds: number): Promise<void> {
        await eventually(
            `${name} of ${colour} is received`,
            async () => (await findFirst(name, colour)).first !== undefined,
            seconds,
        );
    }

    async function resolved(name: string, colour: string, seconds: number): Promise<void> {
        const isOf = ({ labels }: LiveRule["alerts"][number]) => labels.colour === colour;
        await eventually(
            `${name} of ${colour} is over`,
            async () => !(await prometheus.rule(name)).alerts.some(isOf),
            seconds,
        );
    }

    async function times(name: string, colour: string, seconds: number): Promise<AlertTimes> {
        const ended = async () => (await findFirst(name, colour)).last !== undefined;
        await eventually(`the end of ${name} of ${colour} is received`, ended, seconds);
        const { first, last } = await findFirst(name, colour);
        if (!first || !last) throw new Error(`${name} of ${colour} was not received`);
        const rule = await prometheus.rule(name);
        const fire = Date.parse(first.startsAt) / 1000;
        const end = Date.parse(last.endsAt) / 1000;
        const range = await prometheus.timesOf(rule.expr, Math.floor(since / 1000), end);
        const held = range.find(({ metric }) => (metric.colour ?? colour) === colour)?.seconds;
        if (!held) throw new Error(`the expression of ${name} never held for ${colour}`);
        const cause = findStart(held, fire);
        const resolvedAt = Math.max(...held.filter((second) => second <= end)) + 1;
        return {
            alert: name,
            colour,
            for: rule.for,
            firedAfter: fire - cause,
            receivedAfter: Date.parse(first.received) / 1000 - cause,
            endedAfter: end - resolvedAt,
            endReceivedAfter: Date.parse(last.received) / 1000 - resolvedAt,
        };
    }

    return { fired, resolved, times };
}

/** @returns the first of the seconds in a row that lead up to `until` */
function findStart(seconds: readonly number[], until: number): number {
    const before = seconds.filter((second) => second <= until);
    let at = before.length - 1;
    while (at > 0 && (before[at] ?? NaN) - (before[at - 1] ?? NaN) < 1.5) at -= 1;
    const begin = before[at];
    if (begin === undefined) throw new Error("the expression did not hold before the alert");
    return begin;
}
