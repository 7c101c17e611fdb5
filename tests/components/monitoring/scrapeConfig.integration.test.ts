import { describe, expect, test } from "@jest/globals";
import { JOBS, RELEASE_INFO, SERVICE_NAMES, TRAFFIC_WEIGHT } from "@property-search/contract";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { customResources } from "../../../components/monitoring/kubeStateMetrics.ts";
import {
    prometheusConfig,
    scrapeJobs,
    type ScrapeConfigArgs,
} from "../../../components/monitoring/scrapeConfig.ts";
import { at } from "../../support/program.ts";
import { makeTemporaryFolder } from "../../support/temporaryFolder.ts";

const ALL: ScrapeConfigArgs = {
    redis: true,
    grafana: true,
    example: true,
    gateway: { host: "gateway-metrics.gateways.svc", port: 8081, namespace: "gateways" },
    cluster: "production",
    remoteWrite: { url: "https://metrics.example/push", username: "user", authorized: true },
};

/** What Prometheus' relabelling makes of labels; undefined: dropped. */
function relabelled(
    rules: readonly Record<string, unknown>[],
    labels: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
    let result: Record<string, string> = { ...labels };
    for (const rule of rules) {
        const source = ((rule.source_labels ?? []) as string[])
            .map((label) => result[label] ?? "")
            .join(";");
        const expression = new RegExp(`^(?:${(rule.regex as string | undefined) ?? "[^]*"})$`);
        const match = expression.exec(source);
        switch (rule.action ?? "replace") {
            case "keep":
                if (!match) return undefined;
                break;
            case "drop":
                if (match) return undefined;
                break;
            case "labeldrop":
                result = Object.fromEntries(
                    Object.entries(result).filter(([label]) => !expression.test(label)),
                );
                break;
            default:
                if (match) {
                    const replacement = (rule.replacement as string | undefined) ?? source;
                    result[rule.target_label as string] = replacement.replaceAll(
                        "$1",
                        match[1] ?? "",
                    );
                }
        }
    }
    return result;
}

const job = (name: string) => {
    const found = scrapeJobs(ALL).find((one) => one.job_name === name);
    if (!found) throw new Error(`there is no job ${name}`);
    return found as unknown as Record<string, Record<string, unknown>[]>;
};

const POD = {
    __address__: "10.0.0.7:8001",
    __meta_kubernetes_namespace: "property-search-blue",
    __meta_kubernetes_pod_name: "embedding-service-blue-abc",
    __meta_kubernetes_pod_phase: "Running",
    __meta_kubernetes_pod_container_port_name: "http",
    __meta_kubernetes_pod_label_app_kubernetes_io_component: "embedding-service",
    __meta_kubernetes_pod_label_app_kubernetes_io_version: "v1.0.0",
    __meta_kubernetes_pod_label_property_search_io_colour: "blue",
};

const target = (name: string, pod: Readonly<Record<string, string>>) =>
    relabelled(job(name).relabel_configs ?? [], pod);

describe("scrapeJobs", () => {
    test("are those of the contract, and no others", () => {
        const names = scrapeJobs(ALL).map(({ job_name }) => job_name);
        expect(names.sort()).toEqual(Object.values(JOBS).sort());
        const few = scrapeJobs({ redis: false, grafana: false }).map(({ job_name }) => job_name);
        expect(few).not.toContain(JOBS.redis);
        expect(few).not.toContain(JOBS.grafana);
        expect(few).not.toContain(JOBS.gateway);
    });

    test("a pod of a colour has its colour, namespace, name and version", () => {
        expect(target(JOBS.service, POD)).toMatchObject({
            colour: "blue",
            namespace: "property-search-blue",
            pod: "embedding-service-blue-abc",
            version: "v1.0.0",
        });
    });

    test.each([
        ["has ended", { __meta_kubernetes_pod_phase: "Failed" }],
        ["is another program's", { __meta_kubernetes_pod_label_app_kubernetes_io_component: "x" }],
        ["by another port", { __meta_kubernetes_pod_container_port_name: "admin" }],
    ])("no pod that %s is scraped", (_, labels) => {
        expect(target(JOBS.service, { ...POD, ...labels })).toBeUndefined();
    });

    test("a label that the service sets itself does not come twice", () => {
        const sample = {
            __name__: "embedding_build_info",
            colour: "blue",
            exported_colour: "blue",
        };
        expect(relabelled(job(JOBS.service).metric_relabel_configs ?? [], sample)).toEqual({
            __name__: "embedding_build_info",
            colour: "blue",
        });
    });

    test("the exporter is scraped once per Redis pod, by its client port", () => {
        const pod = {
            ...POD,
            __address__: "10.0.0.9:6379",
            __meta_kubernetes_namespace: "property-search-data",
            __meta_kubernetes_pod_name: "redis-cluster-0",
            __meta_kubernetes_pod_label_app_kubernetes_io_name: "redis-cluster",
            __meta_kubernetes_pod_container_port_name: "redis",
        };
        expect(target(JOBS.redis, pod)).toMatchObject({
            __address__: "redis-exporter.property-search-data.svc.cluster.local:9121",
            __param_target: "redis://10.0.0.9:6379",
            instance: "10.0.0.9:6379",
            namespace: "property-search-data",
            pod: "redis-cluster-0",
        });
        const bus = { ...pod, __meta_kubernetes_pod_container_port_name: "bus" };
        expect(target(JOBS.redis, bus)).toBeUndefined();
    });

    test("nothing is looked for outside of our namespaces", () => {
        for (const { kubernetes_sd_configs = [] } of scrapeJobs(ALL)) {
            for (const discovery of kubernetes_sd_configs) {
                for (const name of at(discovery, "namespaces", "names") as string[]) {
                    expect(name).toMatch(/^property-search-/);
                }
            }
        }
    });
});

describe("the traffic's weights", () => {
    const weight = (backend?: string) =>
        relabelled(job(JOBS.kubeState).metric_relabel_configs ?? [], {
            __name__: TRAFFIC_WEIGHT,
            namespace: "property-search-blue",
            customresource_kind: "HTTPRoute",
            customresource_version: "v1",
            ...(backend !== undefined && { backend }),
        });

    test("are those of colours", () => {
        expect(weight(SERVICE_NAMES.blue)).toEqual({
            __name__: TRAFFIC_WEIGHT,
            namespace: "property-search-blue",
            colour: "blue",
        });
        expect(weight(SERVICE_NAMES.green)).toMatchObject({ colour: "green" });
    });

    test("are not those of a route without backends, or with others", () => {
        expect(weight()).toBeUndefined();
        expect(weight("redis-cluster")).toBeUndefined();
    });

    test("leave other figures as they are", () => {
        const sample = { __name__: "kube_pod_info", namespace: "a", pod: "b" };
        expect(relabelled(job(JOBS.kubeState).metric_relabel_configs ?? [], sample)).toEqual(
            sample,
        );
    });

    test("come from the route's last rule, under the contract's name", () => {
        const [resource] = at(customResources(false), "spec", "resources") as unknown[];
        const name = `${String(at(resource, "metricNamePrefix"))}_${String(at(resource, "metrics", 0, "name"))}`;
        expect(name).toBe(TRAFFIC_WEIGHT);
        expect(at(resource, "metrics", 0, "each", "gauge", "path")).toEqual([
            "spec",
            "rules",
            "-1",
            "backendRefs",
        ]);
    });

    test("come with the release that moves them, where there was one", () => {
        const rules = job(JOBS.kubeState).metric_relabel_configs ?? [];
        const marked = { __name__: RELEASE_INFO, switch: "a", candidate: "green", phase: "bake" };
        expect(relabelled(rules, marked)).toEqual(marked);
        expect(relabelled(rules, { __name__: RELEASE_INFO })).toBeUndefined();
    });

    test("certificates are looked at where there are some", () => {
        expect(at(customResources(false), "spec", "resources")).toHaveLength(1);
        expect(at(customResources(true), "spec", "resources", 1)).toMatchObject({
            groupVersionKind: { group: "cert-manager.io", kind: "Certificate" },
            metricNamePrefix: "certmanager_certificate",
        });
    });
});

describe("prometheusConfig", () => {
    test.each([
        ["everything", ALL],
        ["little", { redis: false, grafana: false }],
        ["a bearer token", { ...ALL, remoteWrite: { url: "http://a.example", authorized: true } }],
    ])("with %s is one that Prometheus takes", (_, args) => {
        const folder = makeTemporaryFolder();
        const file = path.join(folder, "prometheus.yml");
        writeFileSync(file, stringify(withoutKubernetes(prometheusConfig(args))));
        const output = execFileSync("promtool", ["check", "config", "--syntax-only", file]);
        expect(output.toString()).toContain("SUCCESS");
    });

    test("uses remote write within limits, and only if configured", () => {
        expect(prometheusConfig({ redis: true, grafana: true })).not.toHaveProperty("remote_write");
        expect(at(prometheusConfig(ALL), "remote_write", 0)).toMatchObject({
            queue_config: { capacity: expect.any(Number), max_shards: expect.any(Number) },
            basic_auth: { username: "user", password_file: "/run/prometheus-remote-write/token" },
        });
    });

    test("names its cluster where there are several", () => {
        expect(at(prometheusConfig(ALL), "global", "external_labels")).toEqual({
            cluster: "production",
        });
        const alone = prometheusConfig({ redis: true, grafana: true });
        expect(at(alone, "global")).not.toHaveProperty("external_labels");
    });
});

/** Debian 12 builds its promtool without that discovery; its Prometheus of Debian 13 has it. */
function withoutKubernetes(config: object): unknown {
    const text = JSON.stringify(config).replaceAll(
        /"kubernetes_sd_configs":\[\{"role":"pod","namespaces":\{"names":\[[^\]]*\]\}\}\]/g,
        '"static_configs":[{"targets":["127.0.0.1:1"]}]',
    );
    return parse(text);
}
