import { cel } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { isServing } from "../../kubernetes/pods.ts";

const WHAT = "has ports and no readinessProbe";

export const readinessProbe = containerRule({
    name: "readiness-probe",
    title: "Every container with ports has a readiness probe.",
    why: "Without one, a pod receives traffic before it can respond, and still receives it when it cannot respond any more.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#readiness-probe",
    *check(container) {
        if (!isServing(container) || container.spec.readinessProbe) return;
        const [port] = container.spec.ports ?? [];
        const handler = { httpGet: { path: "/readyz", port: port?.name ?? port?.containerPort } };
        yield {
            message: WHAT,
            path: "readinessProbe",
            isMissing: true,
            fix: { readinessProbe: { ...handler, periodSeconds: 5, timeoutSeconds: 3 } },
        };
    },
    admission: () => [
        {
            target: "serving",
            violated: cel`!has(c.readinessProbe)`,
            message: WHAT,
            path: "readinessProbe",
        },
    ],
});
