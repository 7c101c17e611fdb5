import { MISSES_PER_CPU, parseCpu } from "@property-search/contract";
import { pattern } from "@property-search/contract/settings";
import type { MissesSettings, ScalingSettings } from "../components/autoscaler/scaling.ts";
import type { ExistingPrometheusSettings } from "../components/monitoring/existing.ts";
import type { ConfigReader } from "./reader.ts";
import type { ServiceConfig } from "./service.ts";

const METRICS = ["keda", "prometheus-adapter", "none"] as const;
const PERCENT = pattern(/^([5-9]\d|100)$/, "a whole number from 50 to 100");
const RATE = pattern(
    /^(?=.*[1-9])(0|[1-9]\d{0,5})(\.\d{1,3})?$/,
    "a number above 0 such as 60 or 7.5",
);
const MISSES_PER_POD = "autoscaling.missesPerSecondPerPod";

export type AutoscalingConfig = Required<ScalingSettings>;

/**
 * @param service what is scaled: its processor time tells how many misses a pod can take.
 * @param existing a Prometheus that the stack does not bring. Default: its own.
 */
export function readAutoscaling(
    read: ConfigReader,
    service: Pick<ServiceConfig, "resources" | "settings">,
    existing?: ExistingPrometheusSettings,
): AutoscalingConfig {
    const misses = readMisses(read, service);
    const prometheus = existing && {
        url: existing.url,
        authorized: existing.token !== undefined,
    };
    const memoryPercent = read.optional("autoscaling.memoryPercent", PERCENT);
    return {
        cpuPercent: read.integer("autoscaling.cpuPercent", 10, 100),
        memoryPercent: memoryPercent === undefined ? undefined : Number(memoryPercent),
        scaleUpStabilizationSeconds: read.integer(
            "autoscaling.scaleUpStabilizationSeconds",
            0,
            600,
        ),
        misses: misses && { ...misses, prometheus },
    };
}

function readMisses(
    read: ConfigReader,
    { resources, settings: { provider } }: Pick<ServiceConfig, "resources" | "settings">,
): MissesSettings | undefined {
    const metric = read.oneOf("autoscaling.metric", METRICS);
    const given = read.optional(MISSES_PER_POD, RATE);
    if (metric === "none") return undefined;
    if (given !== undefined) return { metric, perPod: Number(given) };
    if (provider === "local") return { metric, perPod: missesOf(resources.cpuRequest) };
    // What such a pod can take its API decides: its latency and its limits.
    const reason = `service.provider is ${provider}`;
    return { metric, perPod: Number(read.required(MISSES_PER_POD, RATE, reason)) };
}

/** Misses a second, to a tenth, that a pod with the local model and so much processor time is given. */
function missesOf(cpuRequest: string): number {
    return Math.max(1, Math.round(MISSES_PER_CPU * (parseCpu(cpuRequest) ?? NaN) * 10)) / 10;
}
