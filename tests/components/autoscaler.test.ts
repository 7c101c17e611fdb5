import { describe, expect, test } from "@jest/globals";
import { Autoscaler, type AutoscalerArgs } from "../../components/autoscaler.ts";
import { PrometheusAdapterRules } from "../../components/autoscaler/adapterRules.ts";
import { adapterRule, missesQuery } from "../../components/autoscaler/misses.ts";
import { at, declared, type Declared } from "../support/program.ts";

const target = { name: "service", namespace: "here", colour: "blue" } as const;
const build = (change: Partial<AutoscalerArgs> = {}) =>
    declared(() => new Autoscaler("a", { target, minReplicas: 3, maxReplicas: 10, ...change }));
const keda = { misses: { metric: "keda", perPod: 60 } } as const;
const adapter = { misses: { metric: "prometheus-adapter", perPod: 7.5 } } as const;

const specOf = (all: Declared, type: string) => at(all.one(type).inputs, "spec");
const resource = (name: string, averageUtilization: number) => ({
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization } },
});

/** S7. */
const BEHAVIOR = {
    scaleUp: {
        stabilizationWindowSeconds: 60,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
    },
    scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
    },
};

describe("Autoscaler", () => {
    test("scales the named Deployment on CPU within its bounds", async () => {
        const all = await build();
        expect(all.one(":HorizontalPodAutoscaler").inputs).toMatchObject({
            metadata: { name: "service", namespace: "here" },
            spec: {
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "service" },
                minReplicas: 3,
                maxReplicas: 10,
            },
        });
        expect(at(specOf(all, ":HorizontalPodAutoscaler"), "metrics")).toEqual([
            resource("cpu", 70),
        ]);
    });

    test("scales on memory only if configured", async () => {
        const all = await build({ cpuPercent: 60, memoryPercent: 80 });
        expect(at(specOf(all, ":HorizontalPodAutoscaler"), "metrics")).toEqual([
            resource("cpu", 60),
            resource("memory", 80),
        ]);
    });

    test.each([
        ["alone", {}, ":HorizontalPodAutoscaler", ["behavior"]],
        ["with prometheus-adapter", adapter, ":HorizontalPodAutoscaler", ["behavior"]],
        [
            "with KEDA",
            keda,
            ":ScaledObject",
            ["advanced", "horizontalPodAutoscalerConfig", "behavior"],
        ],
    ] as const)(
        "%s goes up by half a minute at most, and down by a tenth after five quiet minutes",
        async (_, change, type, path) => {
            expect(at(specOf(await build(change), type), ...path)).toEqual(BEHAVIOR);
        },
    );

    test("waits for the stack's stabilization window before it adds pods", async () => {
        const spec = specOf(
            await build({ scaleUpStabilizationSeconds: 0 }),
            ":HorizontalPodAutoscaler",
        );
        expect(at(spec, "behavior", "scaleUp", "stabilizationWindowSeconds")).toBe(0);
        expect(at(spec, "behavior", "scaleDown")).toEqual(BEHAVIOR.scaleDown);
    });

    test.each([
        ["an autoscaler of its own", {}, 1, 0],
        ["an autoscaler that uses prometheus-adapter", adapter, 1, 0],
        ["a ScaledObject", keda, 0, 1],
    ])("is %s and nothing else", async (_, change, own, scaledObjects) => {
        const all = await build(change);
        expect(all.of(":HorizontalPodAutoscaler")).toHaveLength(own);
        expect(all.of(":ScaledObject")).toHaveLength(scaledObjects);
    });

    test("queries prometheus-adapter for the misses of each pod, by the name of its rule", async () => {
        const all = await build(adapter);
        expect(at(specOf(all, ":HorizontalPodAutoscaler"), "metrics")).toEqual([
            resource("cpu", 70),
            {
                type: "Pods",
                pods: {
                    metric: { name: at(adapterRule(), "name", "as") },
                    target: { type: "AverageValue", averageValue: "7.5" },
                },
            },
        ]);
    });

    test("belongs to its component, which belongs to the stack", async () => {
        for (const [change, type] of [
            [{}, ":HorizontalPodAutoscaler"],
            [keda, ":ScaledObject"],
        ] as const) {
            const all = await build(change);
            const component = all.one("property-search:index:Autoscaler");
            expect(component.parent).toBeUndefined();
            expect(all.one(type).parent).toBe(component.urn);
        }
    });

    test("rejects a minimum above the maximum, naming both", async () => {
        const wrong = build({ minReplicas: 5, maxReplicas: 4 });
        await expect(wrong).rejects.toThrow(/minReplicas.*is 5.*maxReplicas \(4\)/);
    });
});

describe("Autoscaler with KEDA", () => {
    const spec = async (change: Partial<AutoscalerArgs> = {}) =>
        specOf(await build({ ...keda, ...change }), ":ScaledObject");

    test("scales the named Deployment within its bounds, by an autoscaler with a fixed name", async () => {
        const all = await build(keda);
        expect(all.one(":ScaledObject").inputs).toMatchObject({
            apiVersion: "keda.sh/v1alpha1",
            metadata: { name: "service", namespace: "here" },
            spec: {
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "service" },
                minReplicaCount: 3,
                maxReplicaCount: 10,
                advanced: { horizontalPodAutoscalerConfig: { name: "service-keda" } },
            },
        });
    });

    test("divides the colour's misses by its pods, and also uses CPU", async () => {
        expect(at(await spec({ memoryPercent: 80 }), "triggers")).toEqual([
            {
                type: "prometheus",
                name: "misses",
                metricType: "AverageValue",
                metadata: {
                    serverAddress: "http://prometheus.property-search-monitoring.svc:9090",
                    query: missesQuery("blue"),
                    threshold: "60",
                    ignoreNullValues: "false",
                },
            },
            { type: "cpu", metricType: "Utilization", metadata: { value: "70" } },
            { type: "memory", metricType: "Utilization", metadata: { value: "80" } },
        ]);
    });

    test("keeps the current replicas while Prometheus is unavailable", async () => {
        expect(at(await spec(), "fallback")).toEqual({
            failureThreshold: 3,
            replicas: 3,
            behavior: "currentReplicas",
        });
    });

    test("is not hindered by the autoscaler that was before it", async () => {
        const { inputs } = (await build()).one(":HorizontalPodAutoscaler");
        expect(at(inputs, "metadata", "annotations")).toEqual({
            "validations.keda.sh/hpa-ownership": "false",
        });
    });
});

describe("PrometheusAdapterRules", () => {
    test("holds the adapter's file with the one rule that autoscalers need", async () => {
        const all = await declared(
            () => new PrometheusAdapterRules("a", { namespace: "watching" }),
        );
        const { inputs } = all.one(":ConfigMap");
        expect(inputs).toMatchObject({
            metadata: { name: "prometheus-adapter-rules", namespace: "watching" },
        });
        const file = at(inputs, "data", "config.yaml") as string;
        expect(JSON.parse(file)).toEqual({ rules: [adapterRule()] });
    });
});
