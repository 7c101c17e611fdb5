import type { Json } from "../../kubernetes/object.ts";

/** A container that every rule is content with; `change` sets fields of it, undefined removes them. */
export function container(change: Json = {}): Json {
    return without({
        name: "service",
        image: "registry.example/search/service:v1.2.3",
        ports: [{ name: "http", containerPort: 8080 }],
        startupProbe: { httpGet: { path: "/startupz", port: "http" }, periodSeconds: 2 },
        readinessProbe: {
            httpGet: { path: "/readyz", port: "http" },
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 3,
        },
        livenessProbe: {
            httpGet: { path: "/livez", port: "http" },
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        },
        lifecycle: { preStop: { sleep: { seconds: 10 } } },
        resources: {
            requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" },
            limits: { cpu: "1", memory: "256Mi", "ephemeral-storage": "512Mi" },
        },
        securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
        },
        ...change,
    });
}

export const LABELS = { "app.kubernetes.io/name": "service" };

/** The spec of a pod that every rule is content with. */
export function podSpec(change: Json = {}, ...containers: readonly Json[]): Json {
    return without({
        serviceAccountName: "service",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 45,
        securityContext: {
            runAsNonRoot: true,
            runAsUser: 10001,
            seccompProfile: { type: "RuntimeDefault" },
        },
        topologySpreadConstraints: [
            {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: LABELS },
                matchLabelKeys: ["pod-template-hash"],
            },
        ],
        containers: containers.length > 0 ? containers : [container()],
        ...change,
    });
}

export const NAME = "service";
export const NAMESPACE = "search";

/** A Deployment that every rule is content with: of this pod, with these fields of its spec changed. */
export function deployment(pod: Json = podSpec(), change: Json = {}): Json {
    return {
        ...object("apps/v1", "Deployment"),
        spec: without({
            replicas: 2,
            strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
            selector: { matchLabels: LABELS },
            template: { metadata: { labels: LABELS }, spec: pod },
            ...change,
        }),
    };
}

/** Any object of the one name. */
export function object(apiVersion: string, kind: string, rest: Json = {}): Json {
    return { apiVersion, kind, metadata: { name: NAME, namespace: NAMESPACE }, ...rest };
}

/** The same pod, by each kind that makes pods. */
export function ofEachKind(pod: Json) {
    const template = { metadata: { labels: LABELS }, spec: pod };
    const spec = { selector: { matchLabels: LABELS }, template };
    return {
        Deployment: object("apps/v1", "Deployment", { spec }),
        StatefulSet: object("apps/v1", "StatefulSet", { spec }),
        DaemonSet: object("apps/v1", "DaemonSet", { spec }),
        ReplicaSet: object("apps/v1", "ReplicaSet", { spec }),
        Rollout: object("argoproj.io/v1alpha1", "Rollout", { spec }),
        Job: object("batch/v1", "Job", { spec: { template } }),
        CronJob: object("batch/v1", "CronJob", { spec: { jobTemplate: { spec: { template } } } }),
        Pod: object("v1", "Pod", { spec: pod }),
    };
}

function without(fields: Json): Json {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
