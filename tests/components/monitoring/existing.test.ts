import { describe, expect, test } from "@jest/globals";
import { COLOURS, JOBS, NAMESPACES } from "@property-search/contract";
import { ruleFiles } from "../../../components/monitoring/alerts/index.ts";
import {
    ExistingPrometheus,
    podMonitorSpec,
    type ExistingPrometheusArgs,
} from "../../../components/monitoring/existing.ts";
import { scrapeJobs } from "../../../components/monitoring/scrapeConfig.ts";
import { at, declared } from "../../support/program.ts";

const rules = ruleFiles();
const ARGS: ExistingPrometheusArgs = {
    source: "operator",
    url: "http://prometheus-operated.monitoring.svc:9090",
    namespace: "monitoring",
    labels: { release: "kps" },
    monitoring: NAMESPACES.monitoring,
    colours: COLOURS.map((colour) => NAMESPACES[colour]),
    redis: true,
    rules,
};
const build = (change: Partial<ExistingPrometheusArgs> = {}) =>
    declared(() => new ExistingPrometheus("p", { ...ARGS, ...change }));

describe("ExistingPrometheus", () => {
    test("of the Operator reads every alert and recording, in our evaluation interval", async () => {
        const { inputs } = (await build()).one(":PrometheusRule");
        expect(at(inputs, "metadata", "labels")).toMatchObject({ release: "kps" });
        const groups = Object.values(rules).flatMap((file) => file.groups);
        expect(at(inputs, "spec", "groups")).toEqual(
            groups.map((group) => ({ interval: "15s", ...group })),
        );
    });

    test("of the Operator scrapes the service, Redis and the state of Kubernetes, with our labels", async () => {
        const monitors = (await build()).of(":PodMonitor").map(({ inputs }) => inputs);
        expect(monitors.map((one) => at(one, "metadata", "name"))).toEqual([
            JOBS.service,
            JOBS.redis,
            JOBS.kubeState,
        ]);
        for (const monitor of monitors) {
            expect(at(monitor, "metadata", "labels")).toMatchObject({ release: "kps" });
        }
    });

    test("without Redis of our own scrapes no Redis", async () => {
        expect((await build({ redis: false })).of(":PodMonitor")).toHaveLength(2);
    });

    test("of another kind finds the rules in a ConfigMap, and no object of the Operator's", async () => {
        const all = await build({ source: "external" });
        expect([...all.of(":PodMonitor"), ...all.of(":PrometheusRule")]).toEqual([]);
        const names = all.of(":ConfigMap").map(({ inputs }) => at(inputs, "metadata", "name"));
        expect(names).toEqual(["prometheus-access", "prometheus-rules"]);
    });

    test("its token is a Secret where the driver and the autoscalers read it, and nowhere else", async () => {
        const all = await build({ token: "not shown" });
        const namespaces = all
            .of(":Secret")
            .map(({ inputs }) => at(inputs, "metadata", "namespace"));
        expect(namespaces.sort()).toEqual(
            [NAMESPACES.monitoring, ...COLOURS.map((colour) => NAMESPACES[colour])].sort(),
        );
        const others = all.of(":ConfigMap").map(({ inputs }) => JSON.stringify(inputs));
        expect(others.join()).not.toContain("not shown");
        expect((await build()).of(":Secret")).toEqual([]);
    });
});

test("a PodMonitor keeps, drops and names what the scrape job of our own does", () => {
    const [job] = scrapeJobs({ redis: true, platformOnly: true });
    if (!job) throw new Error("there is no job");
    const [endpoint] = at(podMonitorSpec(job), "podMetricsEndpoints") as [object];
    const relabelings = at(endpoint, "relabelings") as Record<string, unknown>[];
    expect(relabelings).toHaveLength(job.relabel_configs.length + 2);
    expect(relabelings[0]).toEqual({ targetLabel: "job", replacement: JOBS.service });
    expect(relabelings).toContainEqual({
        sourceLabels: ["__meta_kubernetes_pod_label_property_search_io_colour"],
        targetLabel: "colour",
    });
    // Kubernetes' API knows camel case only and drops everything else.
    expect(JSON.stringify(endpoint)).not.toMatch(/"[a-z]+_[a-z_]+":/);
});
