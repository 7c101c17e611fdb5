import { beforeAll, describe, expect, test } from "@jest/globals";
import { parseBytes } from "@property-search/contract";
import { Insights, insightsFootprints, type InsightsArgs } from "../../components/insights.ts";
import { quota } from "../../components/quotas.ts";
import { at, declared, needsOf, type Declared } from "../support/program.ts";

const ARGS: InsightsArgs = {
    image: "registry.example.com/insights:v1.0.0",
    accessToken: "access token",
    automationToken: "automation token",
};
const build = (change: Partial<InsightsArgs> = {}) =>
    declared(() => new Insights("i", { ...ARGS, ...change }));

const pageOf = (all: Declared) => at(all.one(":StatefulSet").inputs, "spec", "template", "spec");
const runOf = (all: Declared) =>
    at(all.one(":CronJob").inputs, "spec", "jobTemplate", "spec", "template", "spec");
const argsOf = (pod: unknown, index = 0) =>
    at(pod, "containers", index, "args") as readonly string[];
const itemsOf = (pod: unknown) =>
    (at(pod, "volumes") as object[]).flatMap(
        (volume) => (at(volume, "secret", "items") ?? []) as { readonly key: string }[],
    );

const PROMETHEUS = "http://prometheus.property-search-monitoring.svc.cluster.local:9090";
const PAGE = "http://insights.property-search-monitoring.svc.cluster.local:8090";
const AUTOMATION = ["blue", "green"].map(
    (colour) =>
        `--admin=http://embedding-service-${colour}.property-search-${colour}.svc.cluster.local:8802`,
);

describe("Insights", () => {
    let all: Declared;
    beforeAll(async () => {
        all = await build();
    });

    test("serves the page by one pod, whose volume outlives it", () => {
        const { inputs } = all.one(":StatefulSet");
        expect(at(inputs, "spec")).toMatchObject({
            replicas: 1,
            persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain" },
            volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "1Gi" } } } }],
        });
        expect(argsOf(pageOf(all))).toEqual([
            "serve",
            `--prometheus=${PROMETHEUS}`,
            "--folder=/data",
            "--port=8090",
            "--access-token-file=/etc/insights/access-token",
            "--keep=90",
        ]);
        expect(at(all.one(":Service").inputs, "spec", "ports")).toEqual([
            { name: "http", port: 8090, targetPort: "http", protocol: "TCP" },
        ]);
    });

    test("analyses daily, never twice at once, and within a deadline", () => {
        expect(at(all.one(":CronJob").inputs, "spec")).toMatchObject({
            schedule: "0 2 * * *",
            timeZone: "Etc/UTC",
            concurrencyPolicy: "Forbid",
            startingDeadlineSeconds: 21_600,
            successfulJobsHistoryLimit: 3,
            failedJobsHistoryLimit: 3,
            jobTemplate: { spec: { backoffLimit: 3, activeDeadlineSeconds: 1_800 } },
        });
        expect(argsOf(runOf(all))).toEqual([
            "analyse",
            `--prometheus=${PROMETHEUS}`,
            "--out=/reports",
            ...AUTOMATION,
            "--admin-token-file=/etc/insights/automation-token",
            `--publish=${PAGE}`,
            "--publish-token-file=/etc/insights/access-token",
        ]);
        expect(needsOf(all.one(":CronJob"))).toEqual(expect.arrayContaining(["Secret"]));
    });

    test("writes to its volume only, and has no token of the API server", () => {
        for (const pod of [pageOf(all), runOf(all)]) {
            expect(pod).toMatchObject({ automountServiceAccountToken: false });
            expect(at(pod, "containers", 0, "securityContext")).toMatchObject({
                readOnlyRootFilesystem: true,
            });
            const mounts = at(pod, "containers", 0, "volumeMounts") as { readOnly?: boolean }[];
            expect(mounts.filter(({ readOnly }) => readOnly !== true)).toHaveLength(1);
        }
        expect(all.of(":Role")).toEqual([]);
    });

    test("shows the page no secret of the daily run", () => {
        expect(itemsOf(pageOf(all)).map(({ key }) => key)).toEqual(["access-token"]);
        expect(itemsOf(runOf(all)).map(({ key }) => key)).toEqual([
            "access-token",
            "automation-token",
        ]);
    });

    test("tunes beside the analysis, which it does not wait for, in each mode", async () => {
        const change = { tuning: "off", conceptRules: "automatic" } as const;
        const run = runOf(await build({ ...change, storageDollarsPerGibHour: 0.25 }));
        expect(at(run, "initContainers")).toBeUndefined();
        expect(argsOf(run, 1)).toEqual([
            "tune",
            `--prometheus=${PROMETHEUS}`,
            "--mode=off",
            "--rules=automatic",
            "--storage-dollars-per-gib-hour=0.25",
            ...AUTOMATION,
            "--admin-token-file=/etc/insights/automation-token",
            `--publish=${PAGE}`,
            "--publish-token-file=/etc/insights/access-token",
        ]);
        expect(argsOf(runOf(all), 1).slice(2, 4)).toEqual(["--mode=review", "--rules=review"]);
        expect(argsOf(runOf(all), 1).join()).not.toContain("dollars");
    });

    test("posts to Slack by a webhook in its Secret", async () => {
        const slackUrl = "https://hooks.slack.example/T1/B2/x";
        const withSlack = await build({ slackUrl });
        expect(argsOf(runOf(withSlack)).at(-1)).toBe(
            "--slack-webhook-file=/etc/insights/slack-url",
        );
        expect(itemsOf(runOf(withSlack)).map(({ key }) => key)).toContain("slack-url");
        expect(at(withSlack.one(":Secret").inputs, "stringData", "slack-url")).toBe(slackUrl);
        expect(argsOf(runOf(all)).join()).not.toContain("slack");
    });

    test("reads an existing Prometheus, with its token where it has one", async () => {
        const url = "https://thanos.example.com/api";
        for (const authorized of [false, true]) {
            const existing = await build({ prometheus: { url, authorized } });
            for (const pod of [pageOf(existing), runOf(existing)]) {
                expect(argsOf(pod)).toContain(`--prometheus=${url}`);
                const token = "--token-file=/etc/prometheus-access/token";
                expect(argsOf(pod).includes(token)).toBe(authorized);
                const names = (at(pod, "volumes") as object[]).map((volume) =>
                    at(volume, "secret", "secretName"),
                );
                expect(names.includes("prometheus-access")).toBe(authorized);
            }
        }
    });

    test("replaces the page's pod when its token changes, without showing it", async () => {
        const annotations = (from: Declared) =>
            at(from.one(":StatefulSet").inputs, "spec", "template", "metadata", "annotations");
        const other = await build({ accessToken: "another token" });
        expect(annotations(other)).not.toEqual(annotations(all));
        expect(JSON.stringify(annotations(all))).not.toContain("access token");
    });

    test("fits its namespace with a run by hand beside the daily one, each with a retry", () => {
        const hard = quota(insightsFootprints({ storage: "2Gi" }));
        expect(hard).toMatchObject({
            pods: "5",
            persistentvolumeclaims: "1",
            "requests.storage": "2Gi",
        });
        expect(parseBytes(hard["limits.memory"] ?? "")).toBe(9 * (parseBytes("512Mi") ?? NaN));
    });
});
