import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { KubernetesObject } from "@kubernetes/client-node";
import { NAMESPACES } from "@property-search/contract";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cluster } from "../../cluster/connect.ts";
import { ApiError, type ObjectReference } from "../../cluster/objects.ts";
import {
    checkAfterDeploy,
    checksOfVerify,
    formatChecks,
    NOT_VERIFIED,
    type Check,
} from "../../deploy/afterDeploy.ts";
import type { VerifyResult } from "../../deploy/verify.ts";

/** Answers of Prometheus by path and query. */
let answers: Record<string, unknown> = {};
let prometheus: Server;
let url = "";

beforeAll(async () => {
    prometheus = createServer((request, response) => {
        const { pathname, searchParams } = new URL(request.url ?? "", "http://host");
        const key = searchParams.get("query") ?? pathname;
        const data = Object.entries(answers).find(([begin]) => key.startsWith(begin))?.[1];
        response.end(JSON.stringify({ status: "success", data: data ?? { result: [] } }));
    });
    await new Promise<void>((resolve) => prometheus.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`;
});
afterAll(() => void prometheus.close());

const series = (metric: Record<string, string>, value: number) => ({
    metric,
    value: [0, `${value}`],
});
const RULES = [
    ...["EmbeddingCacheHitRateLow", "EmbeddingCacheHitRateCritical", "CostSavingsTargetMissed"],
    ...["ResponseTimeHigh", "ServiceDown", "Watchdog"],
].map((name) => ({ name, health: "ok" }));

const SERVICE_UP = series({ job: "embedding-service", pod: "a" }, 1);
const HEALTHY = {
    up: { result: [SERVICE_UP, series({ job: "redis" }, 1)] },
    "/api/v1/rules": { groups: [{ rules: RULES }] },
    'ALERTS{alertname="Watchdog"': { result: [series({}, 1)] },
    "/api/v1/alertmanagers": { activeAlertmanagers: [{}] },
    "sum(alertmanager_notifications_total": { result: [series({}, 12)] },
};

const deployment = (ready: number) => ({ spec: { replicas: 2 }, status: { readyReplicas: ready } });
const SCALED = { status: { conditions: [{ type: "Ready", status: "True", message: "ok" }] } };
const NOW = Date.now();
const certificate = (days: number) => ({
    metadata: { name: "gateway" },
    status: {
        notAfter: new Date(NOW + days * 86_400_000).toISOString(),
        conditions: [{ type: "Ready", status: "True" }],
    },
});

interface State {
    readonly deployment?: object;
    readonly scaler?: object | undefined;
    readonly certificates?: readonly object[];
    readonly redisReplicas?: number;
}

function clusterOf({
    deployment: live = deployment(2),
    scaler = SCALED,
    certificates,
    redisReplicas: replicas = 1,
}: State) {
    const read = ({ kind, namespace, name }: ObjectReference): Promise<object> => {
        if (kind === "Deployment") return Promise.resolve(live);
        if (kind === "ScaledObject") return Promise.resolve(scaler);
        if (kind === "ConfigMap" && namespace === NAMESPACES.monitoring) {
            return Promise.resolve({ data: { url } });
        }
        return Promise.reject(new ApiError(404, `${name} not found`));
    };
    const list = (_: string, kind: string): Promise<{ items: readonly KubernetesObject[] }> => {
        if (kind === "StatefulSet") {
            const [spec, status] = [{ replicas }, { readyReplicas: replicas }];
            const items = [{ metadata: { name: "redis-cluster" }, spec, status }];
            return Promise.resolve({ items: items });
        }
        if (certificates) return Promise.resolve({ items: certificates as KubernetesObject[] });
        return Promise.reject(new ApiError(404, "no such kind"));
    };
    return { objects: { read, list } } as unknown as Cluster;
}

async function check(state: State, values: Record<string, unknown> = HEALTHY) {
    answers = values;
    const checks = await checkAfterDeploy(clusterOf(state), { settleSeconds: 0 });
    return Object.fromEntries(
        checks.map(({ what, result, detail }) => [what, `${result}: ${detail}`]),
    );
}

test("a healthy stack: everything is verified but the certificate that it does not have", async () => {
    expect(await check({})).toEqual({
        "all pods of blue are ready": "verified: 2 of 2",
        "all pods of green are ready": "verified: 2 of 2",
        "the autoscaler of blue is active": "verified: ScaledObject Ready True: ok",
        "the autoscaler of green is active": "verified: ScaledObject Ready True: ok",
        "Prometheus scrapes each target": "verified: 2 targets",
        "the alert rules are loaded": "verified: 6 alerts",
        "alerts reach Alertmanager":
            "verified: Watchdog fires at 1 Alertmanager, which sent 12 notifications",
        "the certificate is valid": "not verified: the stack has no certificate of cert-manager",
        "traffic can be returned to the other colour":
            "verified: both colours have ready pods; make rollback returns the traffic",
        "Redis is ready, and can be backed up":
            "verified: 1 of 1 servers; make backup saves their entries",
    });
});

test.each<[what: string, result: unknown, state: State, values?: Record<string, unknown>]>([
    ["all pods of blue are ready", "failed: 1 of 2", { deployment: deployment(1) }],
    [
        "traffic can be returned to the other colour",
        "failed: a colour has no ready pods",
        { deployment: deployment(0) },
    ],
    [
        "the autoscaler of blue is active",
        "failed: ScaledObject Ready False",
        { scaler: { status: { conditions: [{ type: "Ready", status: "False" }] } } },
    ],
    [
        "Prometheus scrapes each target",
        "failed: down: redis r",
        {},
        { up: { result: [SERVICE_UP, series({ job: "redis", pod: "r" }, 0)] } },
    ],
    [
        "Prometheus scrapes each target",
        "failed: no target of the service",
        {},
        { up: { result: [series({ job: "redis" }, 1)] } },
    ],
    [
        "the alert rules are loaded",
        "failed: missing: EmbeddingCacheHitRateLow",
        {},
        { "/api/v1/rules": { groups: [{ rules: RULES.slice(1) }] } },
    ],
    [
        "the alert rules are loaded",
        expect.stringMatching(/^failed: failing, or not evaluated yet: EmbeddingCacheHitRateLow/),
        {},
        {
            "/api/v1/rules": {
                groups: [{ rules: RULES.map((one) => ({ ...one, health: "unknown" })) }],
            },
        },
    ],
    [
        "Redis is ready, and can be backed up",
        "failed: 0 of 0 servers; make backup saves their entries",
        { redisReplicas: 0 },
    ],
    [
        "alerts reach Alertmanager",
        "failed: the alert Watchdog does not fire",
        {},
        { 'ALERTS{alertname="Watchdog"': { result: [] } },
    ],
    [
        "alerts reach Alertmanager",
        "failed: Watchdog fires at 1 Alertmanager, which sent 12 notifications; some failed in the last 5 minutes",
        {},
        { "sum(increase(": { result: [series({}, 3)] } },
    ],
    [
        "the certificate is valid",
        "verified: gateway for 60 days",
        { certificates: [certificate(60)] },
    ],
    [
        "the certificate is valid",
        "failed: gateway for -1 days",
        { certificates: [certificate(-1)] },
    ],
])("%s: %s", async (what, result, state, values = {}) => {
    expect((await check(state, { ...HEALTHY, ...values }))[what]).toEqual(result);
});

test("what cannot be read is not verified, and no fault", async () => {
    const failing = { error: "query timed out", status: "error" };
    answers = {};
    const checks = await check({}, { "/api/v1/rules": failing });
    expect(checks["the alert rules are loaded"]).toMatch(/^not verified: /);
});

test("requests of verify show the weights, and the latency of hits only", () => {
    const verified = {
        url: "https://host",
        weights: { blue: 90, green: 10 },
        shares: { blue: 540, green: 60 },
        cached: Array.from({ length: 100 }, (_, at) => at + 1),
    } as unknown as VerifyResult;
    const [weights, slow] = checksOfVerify(verified);
    expect(weights).toMatchObject({ result: "verified", detail: "540/60 of 600 requests" });
    expect(slow).toMatchObject({ result: "not verified" });
    expect(slow?.detail).toContain("p50 50.0 ms, p95 95.0 ms, p99 99.0 ms of 100 hits");
    const [, fast] = checksOfVerify({
        ...verified,
        cached: verified.cached.map((one) => one / 10),
    });
    expect(fast).toMatchObject({ result: "verified" });
});

test("the list names what no deploy can show", () => {
    const checks: Check[] = [
        { what: "pods are ready", result: "verified", detail: "2 of 2" },
        { what: "targets", result: "failed", detail: "down: a" },
        ...NOT_VERIFIED,
    ];
    expect(formatChecks(checks).split("\n").slice(0, 4)).toEqual([
        `1 checks verified, 1 failed, ${NOT_VERIFIED.length} not verified:`,
        "  verified      pods are ready: 2 of 2",
        "  failed        targets: down: a",
        expect.stringMatching(/^ {2}not verified {2}hit rate over all services/),
    ]);
});
