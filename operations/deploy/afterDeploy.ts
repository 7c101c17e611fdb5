import type { KubernetesObject, V1Deployment, V1StatefulSet } from "@kubernetes/client-node";
import {
    COLOURS,
    JOBS,
    NAMESPACES,
    otherColour,
    REDIS_NAME,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, readIfExists, statusOf, type Cluster } from "../cluster/connect.ts";
import type { Get } from "../cluster/forwardedService.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";
import { askPrometheus, readSamples } from "../cluster/prometheusApi.ts";
import { autoscalersOf } from "../shared/autoscalers.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import type { VerifyResult } from "./verify.ts";

/** A statement about a deployed stack, and what is known of it. */
export interface Check {
    readonly what: string;
    readonly result: "verified" | "failed" | "not verified";
    /** What was read, or why nothing was. */
    readonly detail: string;
}

/** Alerts of the requirements. */
const ALERTS = [
    "EmbeddingCacheHitRateLow",
    "EmbeddingCacheHitRateCritical",
    "CostSavingsTargetMissed",
    "ResponseTimeHigh",
    "ServiceDown",
    "Watchdog",
] as const;
/** Time until Prometheus has scraped new pods and evaluated its rules. */
const SETTLE_SECONDS = 90;
const CERTIFICATE = { apiVersion: "cert-manager.io/v1", kind: "Certificate" } as const;

export interface CheckOptions {
    readonly signal?: AbortSignal;
    /** Default: 90 */
    readonly settleSeconds?: number;
}

/**
 * Reads what shows that a deployed stack can serve, scale, alert, and be rolled back. Nothing is changed, and no request is
 * sent to the service. A check that fails is repeated for a while, since a new pod is scraped after it is ready.
 */
export async function checkAfterDeploy(
    cluster: Cluster,
    { signal, settleSeconds = SETTLE_SECONDS }: CheckOptions = {},
): Promise<readonly Check[]> {
    const deadline = Date.now() + settleSeconds * 1000;
    for (;;) {
        const checks = await readChecks(cluster);
        const isSettled = checks.every(({ result }) => result !== "failed");
        if (isSettled || Date.now() > deadline) return checks;
        await delay(5000, undefined, { signal });
    }
}

async function readChecks(cluster: Cluster): Promise<readonly Check[]> {
    const get = await prometheusAccess(cluster);
    const wanted: readonly (readonly [what: string, read: () => Promise<Outcome>])[] = [
        ...COLOURS.map(
            (colour) =>
                [`all pods of ${colour} are ready`, () => readPods(cluster, colour)] as const,
        ),
        ...COLOURS.map(
            (colour) =>
                [
                    `the autoscaler of ${colour} is active`,
                    () => readAutoscaler(cluster, colour),
                ] as const,
        ),
        ["Prometheus scrapes each target", () => readTargets(get)],
        ["the alert rules are loaded", () => readRules(get)],
        ["alerts reach Alertmanager", () => readWatchdog(get)],
        ["the certificate is valid", () => readCertificates(cluster)],
        ["traffic can be returned to the other colour", () => readRollback(cluster)],
        ["Redis is ready, and can be backed up", () => readRedis(cluster)],
    ];
    return Promise.all(
        wanted.map(async ([what, read]): Promise<Check> => {
            try {
                const [result, detail] = await read();
                return { what, result, detail };
            } catch (error) {
                // A check that cannot be made is not a fault of the stack.
                return { what, result: "not verified", detail: messageOf(error) };
            }
        }),
    );
}

type Outcome = readonly [result: Check["result"], detail: string];

const outcome = (holds: boolean, detail: string): Outcome => [
    holds ? "verified" : "failed",
    detail,
];

async function readPods({ objects }: Cluster, colour: Colour): Promise<Outcome> {
    const reference = { namespace: NAMESPACES[colour], name: SERVICE_NAMES[colour] };
    const { spec, status } = await objects.read<V1Deployment>({
        ...{ apiVersion: "apps/v1", kind: "Deployment" },
        ...reference,
    });
    const [wanted = 1, ready = 0] = [spec?.replicas, status?.readyReplicas];
    return outcome(wanted > 0 && ready >= wanted, `${ready} of ${wanted}`);
}

interface Scaler extends KubernetesObject {
    readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
}

async function readAutoscaler(cluster: Cluster, colour: Colour): Promise<Outcome> {
    for (const reference of autoscalersOf(colour)) {
        const { kind } = reference;
        const scaler = await readIfExists<Scaler>(cluster, reference);
        if (!scaler) continue;
        const type = kind === "ScaledObject" ? "Ready" : "AbleToScale";
        const found = scaler.status?.conditions?.find((condition) => condition.type === type);
        const message = found?.message === undefined ? "" : `: ${found.message}`;
        return outcome(
            found?.status === "True",
            `${kind} ${type} ${found?.status ?? "unknown"}${message}`,
        );
    }
    return ["not verified", "the stack has no autoscaler (autoscaling.metric none)"];
}

async function readTargets(get: Get): Promise<Outcome> {
    const targets = await readSamples(get, "up");
    const down = targets.filter(({ value }) => value !== 1);
    const names = down.map(
        ({ metric }) => `${metric.job ?? ""} ${metric.pod ?? metric.instance ?? ""}`,
    );
    const hasService = targets.some(({ metric }) => metric.job === JOBS.service);
    const detail = names.length === 0 ? `${targets.length} targets` : `down: ${names.join(", ")}`;
    return outcome(
        hasService && down.length === 0,
        hasService ? detail : "no target of the service",
    );
}

async function readRules(get: Get): Promise<Outcome> {
    const { groups } = await askPrometheus<{
        groups: readonly { rules: readonly { name: string; health: string }[] }[];
    }>(get, "rules", { type: "alert" });
    const rules = groups.flatMap((group) => group.rules);
    const missing = ALERTS.filter((alert) => !rules.some(({ name }) => name === alert));
    // Of one that was never evaluated, the health is unknown.
    const failing = rules.filter(({ health }) => health !== "ok").map(({ name }) => name);
    if (missing.length > 0) return ["failed", `missing: ${missing.join(", ")}`];
    return outcome(
        failing.length === 0,
        failing.length === 0
            ? `${rules.length} alerts`
            : `failing, or not evaluated yet: ${failing.join(", ")}`,
    );
}

async function readWatchdog(get: Get): Promise<Outcome> {
    const firing = await readSamples(get, 'ALERTS{alertname="Watchdog",alertstate="firing"}');
    if (firing.length === 0) return ["failed", "the alert Watchdog does not fire"];
    const { activeAlertmanagers } = await askPrometheus<{
        activeAlertmanagers: readonly unknown[];
    }>(get, "alertmanagers");
    if (activeAlertmanagers.length === 0) return ["failed", "Prometheus has found no Alertmanager"];
    const job = `{job="${JOBS.alertmanager}"}`;
    const [sent] = await readSamples(get, `sum(alertmanager_notifications_total${job})`);
    const failed = await readSamples(
        get,
        `sum(increase(alertmanager_notifications_failed_total${job}[5m])) > 0`,
    );
    const words = `Watchdog fires at ${activeAlertmanagers.length} Alertmanager`;
    if (sent === undefined) return ["verified", `${words}; its notifications are not counted`];
    return outcome(
        failed.length === 0,
        `${words}, which sent ${sent.value} notifications${failed.length > 0 ? "; some failed in the last 5 minutes" : ""}`,
    );
}

interface Certificate extends KubernetesObject {
    readonly status?: { readonly notAfter?: string; readonly conditions?: readonly Condition[] };
}

async function readCertificates({ objects }: Cluster): Promise<Outcome> {
    const none: Outcome = ["not verified", "the stack has no certificate of cert-manager"];
    let items: readonly Certificate[];
    try {
        const options = { namespace: NAMESPACES.edge };
        ({ items } = await objects.list<Certificate>(
            CERTIFICATE.apiVersion,
            CERTIFICATE.kind,
            options,
        ));
    } catch (error) {
        if (statusOf(error) === 404) return none;
        // Without cert-manager, the API server has no such kind.
        if (/no .*kind|not have|unknown/i.test(messageOf(error))) return none;
        throw error;
    }
    if (items.length === 0) return none;
    const words = items.map(({ metadata, status }) => {
        const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
        const days = (Date.parse(status?.notAfter ?? "") - Date.now()) / 86_400_000;
        return {
            isValid: ready && days > 0,
            text: `${metadata?.name ?? ""} for ${days.toFixed(0)} days`,
        };
    });
    return outcome(
        words.every(({ isValid }) => isValid),
        words.map(({ text }) => text).join(", "),
    );
}

async function readRollback(cluster: Cluster): Promise<Outcome> {
    const last = await readSwitch(cluster);
    const isSwitching: boolean = isUnderWay(last);
    if (isSwitching) return ["not verified", "a switch is in progress"];
    const pods = await Promise.all(COLOURS.map((colour) => readPods(cluster, colour)));
    const ready = pods.every(([result]) => result === "verified");
    const to = last ? otherColour(last.to) : undefined;
    const words = to === undefined ? "both colours have ready pods" : `${to} has ready pods`;
    return outcome(
        ready,
        ready ? `${words}; make rollback returns the traffic` : "a colour has no ready pods",
    );
}

async function readRedis({ objects }: Cluster): Promise<Outcome> {
    const { items } = await objects.list<V1StatefulSet>("apps/v1", "StatefulSet", {
        namespace: NAMESPACES.data,
    });
    const found = items.filter(({ metadata }) => metadata?.name?.startsWith(REDIS_NAME));
    if (found.length === 0) return ["not verified", "the stack does not run Redis itself"];
    const [ready, wanted] = found.reduce(
        ([all, of], { spec, status }) => [
            all + (status?.readyReplicas ?? 0),
            of + (spec?.replicas ?? 1),
        ],
        [0, 0],
    );
    const isReady = ({ spec, status }: V1StatefulSet): boolean => {
        const [of = 1, count = 0] = [spec?.replicas, status?.readyReplicas];
        return of > 0 && count >= of;
    };
    return outcome(
        found.every(isReady),
        `${ready} of ${wanted} servers; make backup saves their entries`,
    );
}

/** What client requests of `verify` have shown. */
export function checksOfVerify({ url, weights, shares, cached }: VerifyResult): readonly Check[] {
    const percentile = (share: number): string =>
        (cached.toSorted((a, b) => a - b)[Math.ceil(cached.length * share) - 1] ?? NaN).toFixed(1);
    const limit = 50;
    const p95 = Number(percentile(0.95));
    return [
        {
            what: `the weights ${weights.blue}/${weights.green} (blue/green) were in force at ${url}`,
            result: "verified",
            detail: `${shares.blue}/${shares.green} of ${shares.blue + shares.green} requests`,
        },
        {
            what: "cached responses are fast, as measured from this machine",
            // The network of the machine that deploys is not the stack's.
            result: p95 < limit ? "verified" : "not verified",
            detail: `p50 ${percentile(0.5)} ms, p95 ${percentile(0.95)} ms, p99 ${percentile(0.99)} ms of ${cached.length} hits, 8 at a time; goal: p95 below ${limit} ms`,
        },
    ];
}

/** What no deploy can show: it needs load, time, or a fault. */
export const NOT_VERIFIED: readonly Check[] = [
    [
        "hit rate over all services, and cost reduction",
        "they need the traffic of users: make optimize, after a day",
    ],
    ["more than 1,000 users at the same time", "load goes to a test cluster only: make accept"],
    ["monthly savings of more than $500", "it needs days of traffic: make impact"],
    ["notifications reach a person", "ask the receiver of alerts.webhookUrl"],
    [
        "rollback, restore and failover work",
        "they disturb traffic or data: make rehearse, on a test cluster",
    ],
].map(([what = "", detail = ""]) => ({ what, result: "not verified", detail }));

/** The list at the end of a deploy. */
export function formatChecks(checks: readonly Check[]): string {
    const count = (wanted: Check["result"]) =>
        checks.filter(({ result }) => result === wanted).length;
    return [
        `${count("verified")} checks verified, ${count("failed")} failed, ${count("not verified")} not verified:`,
        ...checks.map(({ what, result, detail }) => `  ${result.padEnd(12)}  ${what}: ${detail}`),
    ].join("\n");
}
