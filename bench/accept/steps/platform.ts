import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";

import { createForwardedGet } from "../../../operations/cluster/forwardedService.ts";
import type { Cluster } from "../../../operations/cluster/connect.ts";
import { checkAfterDeploy, type Check } from "../../../operations/deploy/afterDeploy.ts";
import { holds, type Finding } from "../criteria.ts";
import type { Step } from "../step.ts";

/** The receiver of `make up`, which keeps what Alertmanager has sent. */
const RECEIVER = { namespace: NAMESPACES.monitoring, name: "alert-receiver", port: 8080 };
/** Alertmanager repeats the Watchdog every minute or so. */
const FRESH_MINUTES = 10;

export const platform: Step = {
    name: "platform",
    title: "the state of the platform",
    minutes: [0.5, 2],
    run: async ({ findPlatform, signal }) => {
        const { cluster } = await findPlatform();
        const checks = await checkAfterDeploy(cluster, { signal });
        const received = await readReceived(cluster);
        return { findings: judgePlatform(checks, received), data: { checks, received } };
    },
};

interface Received {
    readonly received: string;
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
}

/** @returns the Watchdogs that the receiver has, oldest first; or why they cannot be read */
async function readReceived(cluster: Cluster): Promise<readonly Received[] | string> {
    try {
        const all = (await createForwardedGet(cluster, RECEIVER)("/received")) as Received[];
        return all.filter(({ labels }) => labels.alertname === "Watchdog");
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

const WORKLOAD = "read from the cluster, Prometheus and the receiver";

export function judgePlatform(
    checks: readonly Check[],
    received: readonly Received[] | string,
    now = Date.now(),
): Record<string, Finding> {
    const judge = (wanted: (what: string) => boolean): Finding => {
        const own = checks.filter(({ what }) => wanted(what));
        const wrong = own.filter(({ result }) => result !== "verified");
        const shown = wrong.length > 0 ? wrong : own;
        const measured = shown.map(({ what, detail }) => `${what}: ${detail}`).join("; ");
        const isUnknown = own.length === 0 || wrong.some(({ result }) => result === "not verified");
        const isFailed = wrong.some(({ result }) => result === "failed");
        return {
            measured: measured || "no such check",
            workload: WORKLOAD,
            verdict: isFailed ? "not met" : isUnknown ? "not measured" : "met",
        };
    };
    const isMonitoring = (what: string) => /^(Prometheus|the alert rules)/.test(what);
    // A stack may have none; one that is not valid counts.
    const hasNoCertificate = checks.some(
        ({ what, result }) => what.includes("certificate") && result === "not verified",
    );
    const isOptional = (what: string) => hasNoCertificate && what.includes("certificate");
    return {
        monitoring: judge(isMonitoring),
        alerting: judgeWatchdog(received, now),
        ready: judge((what) => !isMonitoring(what) && !isOptional(what)),
    };
}

function judgeWatchdog(received: readonly Received[] | string, now: number): Finding {
    if (typeof received === "string") {
        return { measured: received, workload: WORKLOAD, verdict: "not measured" };
    }
    const last = received.at(-1);
    const minutes = last ? (now - Date.parse(last.received)) / 60_000 : Infinity;
    const words = last
        ? `${received.length} notifications of the Watchdog, the last one ${minutes.toFixed(1)} min ago`
        : `the receiver has no notification of the Watchdog from ${MONITORING_NAMES.alertmanager}`;
    return { measured: words, workload: WORKLOAD, verdict: holds(minutes <= FRESH_MINUTES) };
}
