import { describe, expect, test } from "@jest/globals";
import { NAMESPACES } from "@property-search/contract";
import { externalDestinations } from "../../components/networkPolicies/policies.ts";
import { allowedConnections } from "../../config/traffic.ts";
import type { Manifest } from "../../render.ts";
import { INSIGHTS } from "../../config/settings/insights.ts";
import { loadStack } from "../support/loadStack.ts";
import { at, containersOf } from "../support/program.ts";
import { render } from "../support/stacks.ts";

const manifestsOf = async (overrides: Record<string, string>) =>
    (await render({ stack: "dev", overrides })).manifests;
const find = (manifests: readonly Manifest[], kind: string, name: string) =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name);
const flows = (change: Record<string, string> = {}) => allowedConnections(loadStack(change));
const TO_PAGE = { namespace: NAMESPACES.monitoring, name: "insights", port: 8090, weight: 1 };

const EXISTING = {
    "prometheus.source": "operator",
    "prometheus.url": "http://prometheus-operated.monitoring.svc:9090",
    "prometheus.namespace": "monitoring",
};
const PROMETHEUS_POD = { namespace: "monitoring", podLabels: { app: "prometheus" }, port: 9090 };

describe("the page", () => {
    test("is served by the Gateway below /impact only where the stack exposes it", async () => {
        const hidden = await manifestsOf({});
        expect(find(hidden, "HTTPRoute", "insights")).toBeUndefined();
        const exposed = await manifestsOf({ "insights.expose": "true" });
        const route = find(exposed, "HTTPRoute", "insights");
        expect(at(route, "spec", "rules")).toEqual([
            {
                matches: [{ path: { type: "PathPrefix", value: "/impact" } }],
                backendRefs: [expect.objectContaining(TO_PAGE)],
            },
        ]);
        const grants = exposed.filter(
            ({ kind, metadata }) =>
                kind === "ReferenceGrant" && metadata.namespace === NAMESPACES.monitoring,
        );
        expect(grants.map(({ spec }) => at(spec, "to"))).toEqual([
            [{ group: "", kind: "Service", name: "insights" }],
        ]);
    });

    test("is on the listener of the service: HTTPS and its host name, where there is one", async () => {
        const { manifests } = await render({
            stack: "prod",
            overrides: { "insights.expose": "true" },
        });
        const [page, service] = ["insights", "embedding-service"].map((name) =>
            at(find(manifests, "HTTPRoute", name), "spec"),
        );
        for (const field of ["parentRefs", "hostnames"]) {
            expect(at(page, field)).toEqual(at(service, field));
        }
    });

    test("changes nothing of the route whose weights the release driver writes", async () => {
        const routeOf = (manifests: readonly Manifest[]) =>
            find(manifests, "HTTPRoute", "embedding-service");
        expect(routeOf(await manifestsOf({ "insights.expose": "true" }))).toEqual(
            routeOf(await manifestsOf({ "insights.enabled": "false" })),
        );
    });

    test("is healthy for GKE's load balancers by its own path", async () => {
        const manifests = await manifestsOf({
            "insights.expose": "true",
            "edge.controller": "custom",
            "edge.gatewayClassName": "gke-l7-regional-external-managed",
            "edge.controllerNamespace": "gateways",
            "example.enabled": "false",
        });
        const check = manifests.find(
            ({ kind, metadata }) =>
                kind === "HealthCheckPolicy" && metadata.namespace === NAMESPACES.monitoring,
        );
        expect(at(check, "spec", "default", "config", "httpHealthCheck")).toEqual({
            port: 8090,
            requestPath: "/readyz",
        });
    });
});

describe("without insights", () => {
    test.each([
        { "insights.enabled": "false" },
        { "monitoring.enabled": "false", "autoscaling.metric": "none" },
    ])("%j: no object of them remains", async (change) => {
        const { manifests } = await render({ stack: "local", overrides: change });
        const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
        expect(names.filter((name) => /insights|automation/.test(name))).toEqual([]);
    });

    test("pods have an automation port only if insights use it, now or with monitoring", async () => {
        const portsOf = async (change: Record<string, string>) => {
            const { manifests } = await render({ stack: "local", overrides: change });
            const service = find(manifests, "Deployment", "embedding-service-blue");
            const ports = service && at(containersOf(service)[0], "ports");
            const hasToken = JSON.stringify(service).includes("AUTOMATION_TOKEN");
            return [(ports as { name: string }[]).map(({ name }) => name), hasToken];
        };
        expect(await portsOf({ "insights.enabled": "false" })).toEqual([["http"], false]);
        const serving = { "monitoring.enabled": "false", "autoscaling.metric": "none" };
        expect(await portsOf(serving)).toEqual([["http", "automation"], true]);
    });
});

test("pods of the service let the daily run in, by a token that opens nothing else", async () => {
    const manifests = await manifestsOf({});
    for (const colour of ["blue", "green"]) {
        const name = `embedding-service-${colour}`;
        const service = find(manifests, "Service", name);
        expect(at(service, "spec", "ports", 1)).toMatchObject({ name: "automation", port: 8802 });
        const policy = manifests.find(
            ({ kind, metadata }) =>
                kind === "NetworkPolicy" &&
                metadata.name === "allow-automation" &&
                metadata.namespace === `property-search-${colour}`,
        );
        expect(at(policy, "spec", "ingress")).toEqual([
            {
                from: [
                    {
                        namespaceSelector: {
                            matchLabels: { "kubernetes.io/metadata.name": NAMESPACES.monitoring },
                        },
                        podSelector: {
                            matchLabels: { "app.kubernetes.io/name": "insights-daily" },
                        },
                    },
                ],
                ports: [{ protocol: "TCP", port: 8802 }],
            },
        ]);
    }
});

describe("connections of insights", () => {
    test("lead to the stack's own Prometheus, and nowhere else", () => {
        expect(flows().insights).toEqual({ exposed: false, prometheus: [], slack: [] });
        expect(flows({ "insights.enabled": "false" }).insights).toBeUndefined();
    });

    test("lead to an existing Prometheus, whose pods the stack names", () => {
        const destinations = { prometheus: [PROMETHEUS_POD] };
        const named = { ...EXISTING, "network.destinations": JSON.stringify(destinations) };
        expect(flows(named).insights?.prometheus).toEqual([PROMETHEUS_POD]);
        expect(() => flows(EXISTING)).toThrow(
            'prometheus.url is "http://prometheus-operated.monitoring.svc:9090"; allowed: with network.destinations.prometheus',
        );
        expect(() => flows({ ...EXISTING, "insights.enabled": "false" })).not.toThrow();
        const outside = { ...EXISTING, "prometheus.url": "https://thanos.example.com" };
        expect(flows(outside).insights?.prometheus).toEqual(externalDestinations(443));
    });

    test("lead to Slack on its port, or to the stack's destinations only", () => {
        const slack = { "insights.slackUrl": "https://hooks.slack.example/T1" };
        expect(flows(slack).insights?.slack).toEqual(externalDestinations(443));
        const proxy = [{ cidr: "10.9.0.0/16", port: 443 }];
        const named = { ...slack, "network.destinations": JSON.stringify({ slack: proxy }) };
        expect(flows(named).insights?.slack).toEqual(proxy);
        expect(() => flows({ "network.destinations": JSON.stringify({ slack: proxy }) })).toThrow(
            /destinations\.slack is set; allowed: nothing, since alerts\.slackUrl and insights\.slackUrl lead nowhere/,
        );
    });
});

describe("settings", () => {
    test("an image is required", () => {
        expect(() => loadStack({ "insights.image": "" })).toThrow(
            /insights\.image is not set; allowed: .*, since insights\.enabled is true/,
        );
        expect(() =>
            loadStack({ "insights.image": "", "insights.enabled": "false" }),
        ).not.toThrow();
    });

    test.each([
        "Etc/UTC",
        "UTC",
        "Europe/Berlin",
        ...["America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "Asia/Kolkata"],
        // Links.
        ...["Asia/Calcutta", "US/Pacific", "Brazil/East", "GB", "EST5EDT", "W-SU", "Etc/GMT+12"],
    ])("the time zone %s is one", (zone) => {
        expect(loadStack({ "insights.timeZone": zone }).insights?.timeZone).toBe(zone);
    });

    test.each([
        ...["Berlin", "europe/berlin", "+01:00", "Local", "Europe/Atlantis", "Europe"],
        // Node has these, and Kubernetes does not.
        ...["PST", "CST", "IST", "BST", "JST", "ACT", "SystemV/PST8", "US/Pacific-New"],
        ...["Canada/East-Saskatchewan", "Etc/Unknown"],
    ])("the time zone %s is none", (zone) => {
        expect(() => loadStack({ "insights.timeZone": zone })).toThrow(
            `insights.timeZone is "${zone}"; allowed: a name of the IANA time zone database`,
        );
    });

    test("each canonical name of Node is one", () => {
        const { fits } = INSIGHTS["insights.timeZone"];
        expect(Intl.supportedValuesOf("timeZone").filter((zone) => !fits(zone))).toEqual([]);
    });

    test("the volume has room for the history", () => {
        expect(() => loadStack({ "insights.storage": "64Mi" })).not.toThrow();
        for (const storage of ["1Ki", "63Mi", "0"]) {
            expect(() => loadStack({ "insights.storage": storage })).toThrow(
                `insights.storage is "${storage}"; allowed: bytes such as 512Mi or 4Gi, no less than 64Mi`,
            );
        }
    });

    test("tokens are required by insights alone, with a remedy for a deployed stack", () => {
        for (const key of ["insights.accessToken", "admin.automationToken"]) {
            expect(() => loadStack({ [key]: "" })).toThrow(
                new RegExp(
                    `${key.replace(".", "[.]")} is not set; allowed: a token.* make secrets STACK=<stack> those that a deployed stack lacks`,
                ),
            );
            expect(() => loadStack({ [key]: "", "insights.enabled": "false" })).not.toThrow();
            expect(() => loadStack({ [key]: "short", "insights.enabled": "false" })).toThrow(
                `${key} is wrong; allowed: a token`,
            );
        }
    });

    test.each(["*/5 * * * *", "0 2 * * 1", "60 2 * * *", "0 24 * * *", "02:00", "@daily"])(
        "the schedule %s is not once a day",
        (schedule) => {
            expect(() => loadStack({ "insights.schedule": schedule })).toThrow(
                `insights.schedule is "${schedule}"; allowed: minute and hour of a daily run`,
            );
        },
    );
});
