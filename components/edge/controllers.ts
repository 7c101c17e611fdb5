import { GATEWAY_NAME, NAMESPACES } from "@property-search/contract";
import type { Resources } from "../workload.ts";
import type { RetrySettings } from "./retries.ts";

/** Gateway controllers whose default installation the stack knows. */
export const CONTROLLERS = ["traefik", "envoy-gateway", "istio", "cilium", "nginx"] as const;
export type ControllerName = (typeof CONTROLLERS)[number];

type Labels = Readonly<Record<string, string>>;

/** Objects that a controller makes in the Gateway's namespace. */
export interface ProvisionedProxies {
    /** Pods at most, a rollout included; 0: the proxies run elsewhere. */
    readonly pods: number;
    readonly containers: number;
    /** Of each container: what the controller sets, or may set; the namespace's defaults where it sets none. */
    readonly resources: Resources;
    /** Ports of the LoadBalancer Service besides those of the listeners, such as one for health checks. */
    readonly servicePorts: readonly number[];
    /** Where the proxies get their configuration; undefined: there are none. */
    readonly controlPlane?: { readonly namespace: string; readonly port: number } | undefined;
    /** Pod Security level that the controller's pods keep to. */
    readonly podSecurity: "baseline" | "restricted";
}

/** Proxies of the gateway: where they run and how they are recognised. */
export interface GatewayProxies {
    readonly namespace: string;
    /** None: every pod of the namespace. */
    readonly podLabels: Readonly<Record<string, string>>;
    /** Address ranges that connections come from too. */
    readonly cidrs: readonly string[];
    /** Ports of the pods behind the listeners: HTTP, then HTTPS. */
    readonly podPorts: readonly [number, number];
    /** Undefined: the controller makes nothing in the Gateway's namespace. */
    readonly provisions: ProvisionedProxies | undefined;
    readonly entity?: GatewayController["entity"];
}

/** A controller as its Helm chart or its quick start installs it. */
export interface GatewayController {
    readonly gatewayClassName: string;
    /** Namespace of the proxies. */
    readonly namespace: string;
    /** Labels of the proxies; none: every pod of the namespace. */
    readonly podLabels: Labels;
    /** Ports of the listeners. */
    readonly httpPort: number;
    readonly httpsPort: number;
    /** Ports that clients connect to. */
    readonly publicHttpPort: number;
    readonly publicHttpsPort: number;
    /** Port of the pods behind a listener's port. */
    readonly podPort: (listenerPort: number) => number;
    readonly retryFilter: RetrySettings["filter"] | "none";
    readonly provisions?: ProvisionedProxies | undefined;
    /** The proxies are no pods: Cilium's own policies name them. */
    readonly entity?: "ingress" | undefined;
}

const STANDARD = {
    httpPort: 80,
    httpsPort: 443,
    publicHttpPort: 80,
    publicHttpsPort: 443,
    podPort: (listenerPort: number) => listenerPort,
    retryFilter: "none",
} as const;

/** Three proxies and their successors, each with a helper beside it. */
const PROVISIONED: ProvisionedProxies = {
    pods: 6,
    containers: 2,
    resources: { cpuRequest: "100m", cpuLimit: "2", memoryRequest: "512Mi", memoryLimit: "1Gi" },
    servicePorts: [],
    podSecurity: "restricted",
};

/** Proxies of a controller that the table below does not have, in the Gateway's namespace. */
export const UNKNOWN_PROXIES: ProvisionedProxies = {
    ...PROVISIONED,
    servicePorts: [15021],
    podSecurity: "baseline",
};

/** Label of whatever a controller makes for a Gateway (GEP-1762). */
export const GATEWAY_LABELS: Labels = { "gateway.networking.k8s.io/gateway-name": GATEWAY_NAME };

/**
 * Default installations, as their charts and sources have them: Traefik's chart 41.3 (ports.web 8000 behind 80,
 * ports.websecure 8443 behind 443), Envoy Gateway (gatewayapi/listener.go: ports below 1024 are 10000 higher in
 * the pods; class of its quick start), Istio (files/kube-gateway.yaml), NGINX Gateway Fabric
 * (provisioner/objects.go), Cilium (the entity `ingress`, which no NetworkPolicy can name).
 */
export const GATEWAY_CONTROLLERS: Readonly<Record<ControllerName, GatewayController>> = {
    traefik: {
        ...STANDARD,
        gatewayClassName: "traefik",
        namespace: "traefik",
        podLabels: { "app.kubernetes.io/name": "traefik" },
        httpPort: 8000,
        httpsPort: 8443,
        retryFilter: "traefik",
    },
    "envoy-gateway": {
        ...STANDARD,
        gatewayClassName: "eg",
        namespace: "envoy-gateway-system",
        podLabels: {
            "gateway.envoyproxy.io/owning-gateway-namespace": NAMESPACES.edge,
            "gateway.envoyproxy.io/owning-gateway-name": GATEWAY_NAME,
        },
        podPort: (listenerPort) => (listenerPort < 1024 ? listenerPort + 10_000 : listenerPort),
        retryFilter: "envoy-gateway",
    },
    istio: {
        ...STANDARD,
        gatewayClassName: "istio",
        namespace: NAMESPACES.edge,
        podLabels: GATEWAY_LABELS,
        provisions: {
            ...PROVISIONED,
            servicePorts: [15021],
            controlPlane: { namespace: "istio-system", port: 15012 },
            // Its pods name no seccomp profile unless values.gateways.seccompProfile is set.
            podSecurity: "baseline",
        },
    },
    cilium: {
        ...STANDARD,
        gatewayClassName: "cilium",
        namespace: "kube-system",
        podLabels: {},
        entity: "ingress",
        // A Service alone: the proxies are the nodes' own.
        provisions: { ...PROVISIONED, pods: 0 },
    },
    nginx: {
        ...STANDARD,
        gatewayClassName: "nginx",
        namespace: NAMESPACES.edge,
        podLabels: GATEWAY_LABELS,
        provisions: {
            ...PROVISIONED,
            controlPlane: { namespace: "nginx-gateway", port: 8443 },
        },
    },
};
