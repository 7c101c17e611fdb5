import type { Container } from "./pods.ts";

/** Seconds that a pod has for its end where it does not say, as Kubernetes has it. */
export const DEFAULT_GRACE = 30;

/** Seconds for which a container's preStop sleeps, by Kubernetes' action or by a command; 0 for none. */
export function preStopSleep({ spec }: Container): number {
    const { sleep, exec } = spec.lifecycle?.preStop ?? {};
    if (sleep) return sleep.seconds;
    const [, seconds = 0] = /\bsleep (\d+)/.exec(exec?.command?.join(" ") ?? "") ?? [];
    return Number(seconds);
}
