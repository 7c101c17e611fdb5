import { beforeAll, describe, expect, test } from "@jest/globals";
import { Secret } from "../../../render/program.ts";
import { containerOf, fileOf, monitoring, MONITORING } from "../../support/monitoring.ts";
import { at, needsOf, type Declared } from "../../support/program.ts";

const PARTS = ["alertmanager", "grafana", "kube-state-metrics", "prometheus", "redis-exporter"];

let all: Declared;
beforeAll(async () => {
    all = await monitoring();
});

describe("Monitoring", () => {
    test("has five parts, each with an account, a budget and an address of one name", () => {
        for (const kind of [":ServiceAccount", ":PodDisruptionBudget"]) {
            const names = all.of(kind).map(({ inputs }) => at(inputs, "metadata", "name"));
            expect(names.sort()).toEqual(PARTS);
        }
        const services = all.of(":Service").map(({ inputs }) => at(inputs, "metadata", "name"));
        expect(services.sort()).toEqual([...PARTS, "alertmanager-pods"].sort());
    });

    test("has the exporter in the namespace of Redis, everything else in its own", () => {
        const elsewhere = [...all.of(":Deployment"), ...all.of(":StatefulSet")]
            .filter(
                ({ inputs }) =>
                    at(inputs, "metadata", "namespace") !== "property-search-monitoring",
            )
            .map(({ inputs }) => [
                at(inputs, "metadata", "name"),
                at(inputs, "metadata", "namespace"),
            ]);
        expect(elsewhere).toEqual([["redis-exporter", "property-search-data"]]);
    });

    test("has no exporter without a Redis of ours, and does not scrape one", async () => {
        const without = await monitoring({ redis: undefined });
        const names = without.of(":Deployment").map(({ inputs }) => at(inputs, "metadata", "name"));
        expect(names.sort()).toEqual(["grafana", "kube-state-metrics"]);
        expect(fileOf(without, "m-prometheus-config", "prometheus.yml")).not.toContain("/scrape");
    });

    test("does without Grafana where the stack does", async () => {
        const without = await monitoring({ grafana: undefined });
        expect(without.of(":Grafana")).toEqual([]);
        expect(fileOf(without, "m-prometheus-config", "prometheus.yml")).not.toContain("grafana");
    });

    test("mounts a token only in pods that call the API server", () => {
        const readers = [...all.of(":Deployment"), ...all.of(":StatefulSet")]
            .filter(({ inputs }) =>
                at(inputs, "spec", "template", "spec", "automountServiceAccountToken"),
            )
            .map(({ inputs }) => at(inputs, "metadata", "name"));
        expect(readers.sort()).toEqual(["kube-state-metrics", "prometheus"]);
        for (const { inputs } of all.of(":ServiceAccount")) {
            expect(inputs.automountServiceAccountToken).toBe(false);
        }
    });

    test("keeps passwords in Secrets, and nowhere else", () => {
        for (const { inputs } of all.of(":Secret")) {
            for (const value of Object.values((inputs.stringData as Secret).value as object)) {
                expect(value).not.toBe("");
            }
        }
        const others = all.all.filter(
            ({ type }) => type.startsWith("kubernetes:") && !type.endsWith(":Secret"),
        );
        const text = JSON.stringify(others.map(({ inputs }) => inputs));
        for (const secret of ["grafana-password", "grafana-key", "exporter-secret"]) {
            expect(text).not.toContain(secret);
        }
    });
});

describe("Prometheus", () => {
    const statefulSet = (from = all) => from.one(":StatefulSet", "m-prometheus-statefulset");
    const args = (from = all) => containerOf(from, "m-prometheus-statefulset").args as string[];

    test("keeps 200 hours, on a volume of which a fifth stays free", () => {
        expect(args()).toEqual(
            expect.arrayContaining([
                "--storage.tsdb.retention.time=200h",
                "--storage.tsdb.retention.size=8192MB",
            ]),
        );
        expect(at(statefulSet().inputs, "spec", "volumeClaimTemplates", 0, "spec")).toEqual({
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "10Gi" } },
        });
    });

    test("gives up a pod that cannot start for one that can", () => {
        expect(at(statefulSet().inputs, "spec")).toMatchObject({
            podManagementPolicy: "Parallel",
            updateStrategy: { type: "RollingUpdate" },
        });
    });

    test("may take a quarter of an hour to replay its log before anything ends it", () => {
        const { startupProbe, livenessProbe, readinessProbe } = containerOf(
            all,
            "m-prometheus-statefulset",
        );
        expect(at(startupProbe, "httpGet", "path")).toBe("/-/ready");
        expect(at(readinessProbe, "httpGet", "path")).toBe("/-/ready");
        expect(at(livenessProbe, "httpGet", "path")).toBe("/-/healthy");
        const seconds =
            Number(at(startupProbe, "periodSeconds")) *
            Number(at(startupProbe, "failureThreshold"));
        expect(seconds).toBeGreaterThanOrEqual(900);
    });

    test("collects garbage harder before it would be killed", () => {
        expect(containerOf(all, "m-prometheus-statefulset").env).toEqual([
            { name: "GOMEMLIMIT", value: `${Math.floor(0.9 * 1024 ** 3)}` },
        ]);
    });

    test("lists pods where there is something to scrape, by Roles", () => {
        const roles = all
            .of(":Role")
            .filter(({ name }) => name.startsWith("m-prometheus-"))
            .map(({ inputs }) => [at(inputs, "metadata", "namespace"), inputs.rules]);
        const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }];
        expect(roles).toEqual(
            ["blue", "green", "data", "monitoring"].map((role) => [
                `property-search-${role}`,
                rules,
            ]),
        );
    });

    test("starts after what it mounts and what it may", () => {
        expect(needsOf(statefulSet())).toEqual(
            expect.arrayContaining(["ConfigMap", "ServiceAccount", "RoleBinding"]),
        );
    });

    test.each([
        ["a threshold", { thresholds: { ...MONITORING.thresholds, latencySeconds: 0.2 } }],
        ["the jobs", { grafana: undefined }],
    ])("another value of %s replaces the pod", async (_, change) => {
        const checksum = (from: Declared) =>
            at(
                statefulSet(from).inputs,
                ...["spec", "template", "metadata", "annotations", "checksum/config"],
            );
        expect(checksum(all)).toMatch(/^[0-9a-f]{64}$/);
        expect(checksum(await monitoring())).toBe(checksum(all));
        expect(checksum(await monitoring(change))).not.toBe(checksum(all));
    });

    test("logs in where it writes to by a token in a file", async () => {
        const remoteWrite = { url: "https://metrics.example/push", token: "remote-secret" };
        const writing = await monitoring({
            prometheus: { ...MONITORING.prometheus, remoteWrite },
        });
        const config = fileOf(writing, "m-prometheus-config", "prometheus.yml");
        expect(config).toContain("credentials_file: /run/prometheus-remote-write/token");
        expect(config).not.toContain("remote-secret");
        expect(
            at(writing.one(":Secret", "m-prometheus-remote-write").inputs, "stringData"),
        ).toEqual(new Secret({ token: "remote-secret" }));
        expect(fileOf(all, "m-prometheus-config", "prometheus.yml")).not.toContain("remote_write");
    });
});

describe("Alertmanager", () => {
    const args = (from: Declared) =>
        containerOf(from, "m-alertmanager-statefulset").args as string[];

    test("alone has no peers", () => {
        expect(args(all)).toContain("--cluster.listen-address=");
        expect(args(all).join()).not.toContain("--cluster.peer");
        expect(containerOf(all, "m-alertmanager-statefulset").ports).toHaveLength(1);
    });

    test("of three, each knows all by name", async () => {
        const three = await monitoring({
            alertmanager: { ...MONITORING.alertmanager, replicas: 3 },
        });
        expect(
            at(three.one(":StatefulSet", "m-alertmanager-statefulset").inputs, "spec"),
        ).toMatchObject({ replicas: 3, podManagementPolicy: "Parallel" });
        expect(args(three).filter((arg) => arg.startsWith("--cluster.peer="))).toEqual(
            [0, 1, 2].map(
                (index) =>
                    `--cluster.peer=alertmanager-${index}.alertmanager-pods.property-search-monitoring.svc.cluster.local:9094`,
            ),
        );
    });

    test("has its configuration in a Secret, and Slack's URL in a file of it", async () => {
        const slackUrl = "https://hooks.slack.example/T1";
        const receivers = { ...MONITORING.alertmanager?.receivers, slackChannel: "#alerts" };
        const notifying = await monitoring({
            alertmanager: { ...MONITORING.alertmanager, receivers, slackUrl },
        });
        const secret = notifying.one(":Secret", "m-alertmanager-config").inputs
            .stringData as Secret;
        const { "alertmanager.yml": config, ...rest } = secret.value as Record<string, string>;
        expect(rest).toEqual({ "slack-url": slackUrl });
        expect(config).toContain("api_url_file: /run/alertmanager-config/slack-url");
        expect(config).not.toContain(slackUrl);
        const others = notifying.all.filter(
            ({ type }) => type.startsWith("kubernetes:") && !type.endsWith(":Secret"),
        );
        expect(JSON.stringify(others.map(({ inputs }) => inputs))).not.toContain("hooks.slack");
    });
});

describe("Grafana", () => {
    const environment = () => {
        const env = containerOf(all, "m-grafana-deployment").env as Record<string, unknown>[];
        return new Map(env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
    };

    test("has its password and its key from a Secret, and no other way in", () => {
        expect(environment().get("GF_SECURITY_ADMIN_PASSWORD")).toEqual({
            secretKeyRef: { name: "grafana", key: "admin-password" },
        });
        expect(environment().get("GF_SECURITY_SECRET_KEY")).toEqual({
            secretKeyRef: { name: "grafana", key: "secret-key" },
        });
        for (const key of [
            "USERS_ALLOW_SIGN_UP",
            "AUTH_ANONYMOUS_ENABLED",
            "USERS_VIEWERS_CAN_EDIT",
        ]) {
            expect(environment().get(`GF_${key}`)).toBe("false");
        }
        expect(environment().get("GF_SECURITY_COOKIE_SECURE")).toBe("true");
    });

    test("makes no external calls", () => {
        const calls = [...environment()].filter(([key]) =>
            /ANALYTICS|NEWS|SNAPSHOTS/.test(String(key)),
        );
        expect(calls.length).toBeGreaterThan(4);
        for (const [key, value] of calls) expect([key, value]).toEqual([key, "false"]);
        expect(environment().get("GF_PLUGINS_PREINSTALL_DISABLED")).toBe("true");
    });

    test("shows read-only dashboards from their data source", () => {
        expect(fileOf(all, "m-grafana-provisioning", "dashboards.yml")).toContain(
            "allowUiUpdates: false",
        );
        const source = fileOf(all, "m-grafana-provisioning", "source.yml");
        expect(source).toContain("uid: prometheus");
        expect(source).toContain("editable: false");
        const files = all.one(":ConfigMap", "m-grafana-dashboards").inputs.data as object;
        expect(Object.keys(files)).toContain("service.json");
        // What a ConfigMap holds.
        expect(JSON.stringify(files).length).toBeLessThan(1024 ** 2);
    });

    test("keeps nothing, so that another password holds from the next pod on", async () => {
        expect(all.one(":Grafana").inputs).not.toHaveProperty("volumeClaimTemplates");
        const other = await monitoring({
            grafana: {
                image: "grafana/grafana:12.4.0",
                adminPassword: "another",
                secretKey: "grafana-key",
            },
        });
        const checksum = (from: Declared) =>
            at(
                from.one(":Deployment", "m-grafana-deployment").inputs,
                ...["spec", "template", "metadata", "annotations", "checksum/config"],
            );
        expect(checksum(other)).not.toBe(checksum(all));
    });
});
