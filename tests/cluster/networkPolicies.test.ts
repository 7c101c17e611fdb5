import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import {
    EXAMPLE_NAME,
    EXAMPLE_NAMESPACE,
    INSIGHTS_NAMES,
    LABELS,
    MONITORING_NAMES,
    NAMESPACES,
    PORTS,
    REDIS_NAME,
} from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { eventually, openCluster } from "../support/cluster.ts";
import { policiesAreEnforced } from "../support/enforcement.ts";
import { reach, type Protocol, type Reach } from "../support/reach.ts";
import { createUnrelatedPods, type UnrelatedPods } from "../support/unrelatedPods.ts";

/** One who connects: a pod by its namespace and a label. */
const WHO = {
    blue: [NAMESPACES.blue, `${LABELS.name}=embedding-service-blue`],
    green: [NAMESPACES.green, `${LABELS.name}=embedding-service-green`],
    redis: [NAMESPACES.data, `${LABELS.name}=${REDIS_NAME}`],
    exporter: [NAMESPACES.data, `${LABELS.name}=${MONITORING_NAMES.redisExporter}`],
    prometheus: [NAMESPACES.monitoring, `${LABELS.name}=${MONITORING_NAMES.prometheus}`],
    alertmanager: [NAMESPACES.monitoring, `${LABELS.name}=${MONITORING_NAMES.alertmanager}`],
    kubeState: [NAMESPACES.monitoring, `${LABELS.name}=${MONITORING_NAMES.kubeStateMetrics}`],
    receiver: [NAMESPACES.monitoring, "app=alert-receiver"],
    insights: [NAMESPACES.monitoring, `${LABELS.name}=${INSIGHTS_NAMES.page}`],
    example: [EXAMPLE_NAMESPACE, `${LABELS.name}=${EXAMPLE_NAME}`],
    grafana: [NAMESPACES.monitoring, `${LABELS.name}=${MONITORING_NAMES.grafana}`],
    gateway: ["traefik-system", "app=traefik"],
    keda: ["keda", "app=keda-operator"],
    dns: ["kube-system", "k8s-app=kube-dns"],
} as const;
type Name = keyof typeof WHO;
/** Beside them: a pod of nobody's, and the API server. */
type Target = Name | "stranger" | "apiServer";

const OF_STACK = [
    ...(["blue", "green", "redis", "exporter"] as const),
    ...(["prometheus", "alertmanager", "kubeState", "receiver", "insights", "example"] as const),
];
const OTHERS = ["gateway", "keda", "dns", "stranger"] as const;

interface Flow {
    readonly from: Name;
    readonly to: Target;
    readonly port: number;
    readonly protocol?: Protocol;
    /** Policies without which it does not work, as role/name. */
    readonly by: readonly string[];
}

interface Attempt {
    readonly from: Target;
    readonly to: Target;
    readonly port: number;
}

const inColours = (flow: (colour: "blue" | "green") => readonly Flow[]) =>
    (["blue", "green"] as const).flatMap(flow);
const namesOf = (role: string, ...names: readonly Name[]) =>
    names.flatMap((from) =>
        (["TCP", "UDP"] as const).map((protocol): Flow => ({
            from,
            to: "dns",
            port: 53,
            protocol,
            by: [`${role}/allow-dns`],
        })),
    );

/** All that the stack's policies are to allow. Whatever is not here is denied. */
const FLOWS: readonly Flow[] = [
    ...inColours((colour) => [
        ...namesOf(colour, colour),
        { from: "gateway", to: colour, port: PORTS.service, by: [`${colour}/allow-gateway`] },
        {
            from: "prometheus",
            to: colour,
            port: PORTS.service,
            by: [`${colour}/allow-monitoring`, "monitoring/allow-scrapes"],
        },
        {
            from: colour,
            to: "redis",
            port: PORTS.redis,
            by: [`${colour}/allow-redis`, "data/allow-clients"],
        },
    ]),
    ...namesOf("data", "redis", "exporter"),
    ...namesOf("monitoring", "prometheus", "alertmanager", "kubeState", "receiver", "insights"),
    { from: "gateway", to: "insights", port: PORTS.insights, by: ["monitoring/allow-insights"] },
    {
        from: "insights",
        to: "prometheus",
        port: PORTS.prometheus,
        by: ["monitoring/allow-insights-queries", "monitoring/allow-queries"],
    },
    ...namesOf("example", "example"),
    { from: "gateway", to: "example", port: PORTS.example, by: ["example/allow-gateway"] },
    {
        from: "prometheus",
        to: "example",
        port: PORTS.example,
        by: ["example/allow-monitoring", "monitoring/allow-example-scrapes"],
    },
    { from: "example", to: "gateway", port: 8080, by: ["example/allow-embeddings"] },
    {
        from: "exporter",
        to: "redis",
        port: PORTS.redis,
        by: ["data/allow-peers-in", "data/allow-peers-out"],
    },
    {
        from: "prometheus",
        to: "exporter",
        port: PORTS.redisExporter,
        by: ["data/allow-scrapes", "monitoring/allow-redis-scrapes"],
    },
    { from: "keda", to: "prometheus", port: PORTS.prometheus, by: ["monitoring/allow-queries"] },
    {
        from: "prometheus",
        to: "alertmanager",
        port: PORTS.alertmanager,
        by: ["monitoring/allow-alerts", "monitoring/allow-own-scrapes"],
    },
    {
        from: "prometheus",
        to: "kubeState",
        port: PORTS.kubeStateMetrics,
        by: ["monitoring/allow-kube-state", "monitoring/allow-own-scrapes"],
    },
    { from: "prometheus", to: "gateway", port: 8081, by: ["monitoring/allow-gateway-scrapes"] },
    { from: "prometheus", to: "apiServer", port: 443, by: ["monitoring/allow-api-server"] },
    {
        from: "kubeState",
        to: "apiServer",
        port: 443,
        by: ["monitoring/allow-kube-state-api-server"],
    },
    {
        from: "alertmanager",
        to: "receiver",
        port: 8080,
        by: ["monitoring/allow-notifications", "monitoring/alert-receiver"],
    },
];

/** Those of Grafana, which is where its image can be had. */
const GRAFANA_FLOWS: readonly Flow[] = [
    ...namesOf("monitoring", "grafana"),
    {
        from: "grafana",
        to: "prometheus",
        port: PORTS.prometheus,
        by: ["monitoring/allow-grafana-queries", "monitoring/allow-queries"],
    },
    {
        from: "prometheus",
        to: "grafana",
        port: PORTS.grafana,
        by: ["monitoring/allow-grafana", "monitoring/allow-own-scrapes"],
    },
];

/** Policies of which this stack has nobody to show them: the reason. */
const DAILY_RUN = "the daily run has no pod between its runs; insights.test.ts has one";
const WITHOUT_PODS: Readonly<Record<string, string>> = {
    "blue/allow-automation": DAILY_RUN,
    "green/allow-automation": DAILY_RUN,
    "monitoring/allow-insights-automation": DAILY_RUN,
    "monitoring/allow-insights-reports": DAILY_RUN,
    "edge/allow-dns": "the namespace has no pods",
    "monitoring/allow-alertmanagers-in": "there is one Alertmanager",
    "monitoring/allow-alertmanagers-out": "there is one Alertmanager",
};

/** For three pods to start one after another on a busy machine. */
const TEST_MILLISECONDS = 600_000;

/** The first port that a program without rights may listen on. */
const UNPRIVILEGED = 1024;

const cluster = openCluster();
const isEnforced = policiesAreEnforced();
/** Nothing is denied where nobody enforces what policies say. */
const denying = isEnforced ? test : test.skip;
const heading = isEnforced
    ? "The stack's network policies, as the cluster enforces them"
    : "The stack's network policies, of which this cluster enforces none: what they allow";
const pods = new Map<Target, V1Pod>();
let apiServer: string;
let unrelatedPods: UnrelatedPods;

beforeAll(async () => {
    for (const [name, [namespace, labelSelector]] of Object.entries(WHO)) {
        const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", {
            namespace,
            labelSelector,
        });
        const pod = items.find(
            ({ metadata, status }) =>
                status?.phase === "Running" && metadata?.deletionTimestamp === undefined,
        );
        if (pod) pods.set(name as Name, pod);
        // Its image cannot be had everywhere.
        else if (name !== "grafana")
            throw new Error(`${namespace} has no pod with ${labelSelector}: make up`);
    }
    const { spec } = await cluster.objects.read<V1Service>({
        apiVersion: "v1",
        kind: "Service",
        namespace: "default",
        name: "kubernetes",
    });
    apiServer = spec?.clusterIP ?? "";
    unrelatedPods = await createUnrelatedPods(cluster, `strangers-${randomUUID().slice(0, 8)}`);
    const ports = [...new Set(FLOWS.map(({ port }) => port))].filter(
        (port) => port >= UNPRIVILEGED,
    );
    pods.set("stranger", await unrelatedPods.run("stranger", ports));
    // Rules of a new pod come a moment after it; each of them is looked at once it is known to the rest.
    const another = await unrelatedPods.run("another", []);
    await eventually(
        "the stranger listens",
        async () => (await reach(another, addressOf("stranger"), PORTS.service)) === "open",
    );
}, TEST_MILLISECONDS);

afterAll(() => unrelatedPods.remove());

function podOf(name: Target): V1Pod {
    const pod = pods.get(name);
    if (!pod) throw new Error(`no pod ${name}`);
    return pod;
}

function addressOf(target: Target): string {
    return target === "apiServer" ? apiServer : (podOf(target).status?.podIP ?? "");
}

function connect(from: Target, to: Target, port: number, protocol?: Protocol): Promise<Reach> {
    return reach(podOf(from), addressOf(to), port, protocol);
}

const flowsHere = () => (pods.has("grafana") ? [...FLOWS, ...GRAFANA_FLOWS] : FLOWS);

const isAllowed = (from: string, to: string, port: number) =>
    flowsHere().some((flow) => flow.from === from && flow.to === to && flow.port === port);

/** Where somebody listens: ports of the flows, by their target. */
const listening = () =>
    [...new Set(flowsHere().map(({ to, port }) => `${to} ${port}`))].map((text) => {
        const [to, port] = text.split(" ");
        return [to as Target, Number(port)] as const;
    });

/** What a pod of the stack is not to reach. */
function deniedTo(from: Name): readonly Attempt[] {
    const targets = [...listening(), ...listening().map(([, port]) => ["stranger", port] as const)];
    return targets
        .filter(
            ([to, port]) =>
                to !== from &&
                !isAllowed(from, to, port) &&
                // Ranges are all addresses here, those of pods too.
                !isAllowed(from, "apiServer", port),
        )
        .map(([to, port]) => ({ from, to, port }));
}

describe(heading, () => {
    test("each of them is shown by a flow", async () => {
        const shown = new Set([
            ...flowsHere().flatMap(({ by }) => by),
            ...Object.keys(WITHOUT_PODS),
        ]);
        const declared = await Promise.all(
            Object.entries({ ...NAMESPACES, example: EXAMPLE_NAMESPACE }).map(
                async ([role, namespace]) => {
                    const { items } = await cluster.objects.list(
                        "networking.k8s.io/v1",
                        "NetworkPolicy",
                        { namespace },
                    );
                    return items.map(({ metadata }) => `${role}/${metadata?.name ?? ""}`);
                },
            ),
        );
        const names = declared.flat().filter((name) => !name.endsWith("/default-deny"));
        expect(names.sort()).toEqual([...shown].sort());
    });

    const flows = FLOWS.map((flow) => ({ protocol: "TCP" as const, ...flow }));
    test.each(flows)("$from reaches $to on $port ($protocol)", async (flow) => {
        const { from, to, port, protocol } = flow;
        expect(await connect(from, to, port, protocol)).toBe("open");
    });

    denying.each(OF_STACK)("%s reaches nothing else", async (from) => {
        expect(await openOnes(deniedTo(from))).toEqual([]);
    });

    test("a Grafana, where there is one, reaches and is reached", async () => {
        if (!pods.has("grafana")) return;
        for (const { from, to, port, protocol } of GRAFANA_FLOWS) {
            const how = await connect(from, to, port, protocol);
            expect({ from, to, port, how }).toEqual({ from, to, port, how: "open" });
        }
    });

    denying("a Grafana, where there is one, reaches nothing else", async () => {
        if (!pods.has("grafana")) return;
        expect(await openOnes(deniedTo("grafana"))).toEqual([]);
    });

    denying.each(OTHERS)("%s reaches nothing of the stack else", async (from) => {
        const tried = listening().filter(
            ([to, port]) =>
                [...OF_STACK, "grafana"].some((one) => one === to) && !isAllowed(from, to, port),
        );
        expect(await openOnes(tried.map(([to, port]) => ({ from, to, port })))).toEqual([]);
    });
});

/** Those of the connections that are made though they are not allowed. */
async function openOnes(tried: readonly Attempt[]): Promise<readonly string[]> {
    expect(tried.length).toBeGreaterThan(0);
    const reached = await Promise.all(
        tried.map(async ({ from, to, port }) => ({
            what: `${from} to ${to}:${port}`,
            how: await connect(from, to, port),
        })),
    );
    return reached.filter(({ how }) => how === "open").map(({ what }) => what);
}

describe("Rules that the stack does not use itself", () => {
    denying(
        "named ports, labels of pods and ranges with exceptions are enforced too",
        async () => {
            const server = await unrelatedPods.run("server", [8001, 8002], { role: "server" });
            const friend = await unrelatedPods.run("friend", [8001], { role: "friend" });
            const other = await unrelatedPods.run("other", [8001]);
            const [at, friendly] = [server.status?.podIP ?? "", friend.status?.podIP ?? ""];
            const isOpen = async (from: V1Pod, address: string, port: number) =>
                (await reach(from, address, port)) === "open";
            await eventually("all listen", async () =>
                (await Promise.all([isOpen(other, at, 8002), isOpen(other, friendly, 8001)])).every(
                    Boolean,
                ),
            );
            await unrelatedPods.allow("server", {
                podSelector: { matchLabels: { role: "server" } },
                policyTypes: ["Ingress"],
                ingress: [
                    {
                        from: [{ podSelector: { matchLabels: { role: "friend" } } }],
                        ports: [{ port: "p8001" }],
                    },
                ],
            });
            await unrelatedPods.allow("other", {
                podSelector: { matchExpressions: [{ key: "role", operator: "DoesNotExist" }] },
                policyTypes: ["Egress"],
                egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: [`${friendly}/32`] } }] }],
            });
            await eventually("both policies are enforced", async () =>
                (await Promise.all([isOpen(other, at, 8001), isOpen(other, friendly, 8001)])).every(
                    (open) => !open,
                ),
            );
            expect(await isOpen(friend, at, 8001)).toBe(true);
            expect(await isOpen(friend, at, 8002)).toBe(false);
            expect(await isOpen(other, podOf("dns").status?.podIP ?? "", 53)).toBe(true);
        },
        TEST_MILLISECONDS,
    );
});
