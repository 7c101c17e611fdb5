import { MISSES_PER_CPU, parseCpu } from "@property-search/contract";
import type { ScalingSettings } from "../components/autoscaler/scaling.ts";
import type { ExistingPrometheusSettings } from "../components/monitoring/existing.ts";
import type { ConfigReader } from "./reader.ts";
import type { ServiceConfig } from "./service.ts";

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
    const { metric, missesPerSecondPerPod, ...scaling } = read.group("autoscaling");
    const prometheus = existing && {
        url: existing.url,
        authorized: existing.token !== undefined,
    };
    if (metric === "none") return { ...scaling, misses: undefined };
    const perPod = missesPerSecondPerPod ?? missesPerPod(read, service);
    return { ...scaling, misses: { metric, perPod, prometheus } };
}

function missesPerPod(
    read: ConfigReader,
    { resources, settings: { provider } }: Pick<ServiceConfig, "resources" | "settings">,
): number {
    if (provider === "local") return missesOf(resources.cpuRequest);
    // What such a pod can take its API decides: its latency and its limits.
    read.required("autoscaling.missesPerSecondPerPod", `service.provider is ${provider}`);
    return NaN;
}

/** Misses a second, to a tenth, that a pod with the local model and so much processor time is given. */
function missesOf(cpuRequest: string): number {
    return Math.max(1, Math.round(MISSES_PER_CPU * (parseCpu(cpuRequest) ?? NaN) * 10)) / 10;
}
