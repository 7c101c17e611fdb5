import { GATEWAY_NAME, NAMESPACES } from "@property-search/contract";
import { createHash } from "node:crypto";
import type { Resources } from "../workload.ts";
import type { RetrySettings } from "./retries.ts";

/** Gateway controllers with a known default installation. */
export const CONTROLLERS = ["traefik", "envoy-gateway", "istio", "cilium", "nginx"] as const;
export type ControllerName = (typeof CONTROLLERS)[number];

type Labels = Readonly<Record<string, string>>;

/** Objects that a controller creates in the Gateway's namespace. */
export interface ProvisionedProxies {
    /** Most pods, including those of a rollout. 0: the proxies run elsewhere. */
    readonly pods: number;
    /** Containers of each pod. */
    readonly containers: number;
    /** Resources of each container: those that the controller sets, or else the namespace's defaults. */
    readonly resources: Resources;
    /** Ports of the LoadBalancer Service besides those of the listeners, such as one for health checks. */
    readonly servicePorts: readonly number[];
    /** Source of the proxies' configuration. Undefined: they need no connection for it. */
    readonly controlPlane?: { readonly namespace: string; readonly port: number } | undefined;
    /** Pod Security level of the controller's pods. */
    readonly podSecurity: "baseline" | "restricted";
}

/** Proxies of the gateway: where they run, and how network policies select them. */
export interface GatewayProxies {
    /** Namespace of the proxies. */
    readonly namespace: string;
    /** Labels of the proxies. Empty: every pod of the namespace. */
    readonly podLabels: Readonly<Record<string, string>>;
    /** More address ranges that connections come from. */
    readonly cidrs: readonly string[];
    /** Pod ports of the listeners: HTTP, then HTTPS. */
    readonly podPorts: readonly [number, number];
    /** Objects in the Gateway's namespace. Undefined: the controller creates none. */
    readonly provisions: ProvisionedProxies | undefined;
    /** Entity of Cilium, where the proxies are not pods. */
    readonly entity?: GatewayController["entity"];
}

/** A controller as its Helm chart or quick start installs it. */
export interface GatewayController {
    /** Name of its GatewayClass. */
    readonly gatewayClassName: string;
    /** Namespace of the proxies. */
    readonly namespace: string;
    /** Labels of the proxies. Empty: every pod of the namespace. */
    readonly podLabels: Labels;
    /** Service of the proxies for clients in the cluster. */
    readonly service: {
        readonly name: string;
        /** Undefined: the namespace of the proxies. */
        readonly namespace?: string;
    };
    /** Port of the listener for HTTP. */
    readonly httpPort: number;
    /** Port of the listener for HTTPS. */
    readonly httpsPort: number;
    /** Port of HTTP for clients. */
    readonly publicHttpPort: number;
    /** Port of HTTPS for clients. */
    readonly publicHttpsPort: number;
    /** Pod port of a listener's port. */
    readonly podPort: (listenerPort: number) => number;
    /** Filter by which it retries requests. */
    readonly retryFilter: RetrySettings["filter"] | "none";
    /** Objects in the Gateway's namespace. Undefined: the controller creates none. */
    readonly provisions?: ProvisionedProxies | undefined;
    /** Entity of Cilium, where the proxies are not pods. */
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

/** Three proxies with a sidecar each, and their successors. */
const PROVISIONED: ProvisionedProxies = {
    pods: 6,
    containers: 2,
    resources: { cpuRequest: "100m", cpuLimit: "2", memoryRequest: "512Mi", memoryLimit: "1Gi" },
    servicePorts: [],
    podSecurity: "restricted",
};

/** Proxies of any other controller, in the Gateway's namespace. */
export const UNKNOWN_PROXIES: ProvisionedProxies = {
    ...PROVISIONED,
    servicePorts: [15021],
    podSecurity: "baseline",
};

/** Label of the objects that a controller creates for a Gateway (GEP-1762). */
export const GATEWAY_LABELS: Labels = { "gateway.networking.k8s.io/gateway-name": GATEWAY_NAME };

/** Name of Envoy Gateway's Service of a Gateway (GetHashedName of internal/utils); `default/eg` gives envoy-default-eg-e41e7b31. */
export function envoyServiceName(namespace: string, gateway: string): string {
    const digest = createHash("sha256").update(`${namespace}/${gateway}`).digest("hex");
    return `envoy-${namespace}-${gateway}-${digest.slice(0, 8)}`;
}

/**
 * Default installations, by their charts and sources: Traefik's chart 41.3 (ports.web 8000 behind 80,
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
        service: { name: "traefik" },
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
        service: { name: envoyServiceName(NAMESPACES.edge, GATEWAY_NAME) },
        podPort: (listenerPort) => (listenerPort < 1024 ? listenerPort + 10_000 : listenerPort),
        retryFilter: "envoy-gateway",
    },
    istio: {
        ...STANDARD,
        gatewayClassName: "istio",
        namespace: NAMESPACES.edge,
        service: { name: `${GATEWAY_NAME}-istio` },
        podLabels: GATEWAY_LABELS,
        provisions: {
            ...PROVISIONED,
            servicePorts: [15021],
            controlPlane: { namespace: "istio-system", port: 15012 },
            // Its pods have no seccomp profile unless values.gateways.seccompProfile is set.
            podSecurity: "baseline",
        },
    },
    cilium: {
        ...STANDARD,
        gatewayClassName: "cilium",
        namespace: "kube-system",
        podLabels: {},
        service: { name: `cilium-gateway-${GATEWAY_NAME}`, namespace: NAMESPACES.edge },
        entity: "ingress",
        // Only a Service: the proxies run on the nodes.
        provisions: { ...PROVISIONED, pods: 0 },
    },
    nginx: {
        ...STANDARD,
        gatewayClassName: "nginx",
        namespace: NAMESPACES.edge,
        service: { name: `${GATEWAY_NAME}-nginx` },
        podLabels: GATEWAY_LABELS,
        provisions: {
            ...PROVISIONED,
            controlPlane: { namespace: "nginx-gateway", port: 8443 },
        },
    },
};

/** Proxies of a controller in its default installation. */
export function defaultProxies(name: ControllerName): GatewayProxies {
    const { namespace, podLabels, httpPort, httpsPort, podPort, provisions, entity } =
        GATEWAY_CONTROLLERS[name];
    const podPorts = [podPort(httpPort), podPort(httpsPort)] as const;
    return { namespace, podLabels, cidrs: [], podPorts, provisions, entity };
}
