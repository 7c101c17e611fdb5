import { integer, oneOf, PORT, setting, text } from "@property-search/contract/settings";
import { CONTROLLERS } from "../../components/edge/controllers.ts";
import { RETRY_FILTERS } from "../../components/edge/retries.ts";
import {
    CIDR,
    DNS_LABEL,
    HOST_NAME,
    HOST_PORT,
    LABEL_KEY,
    LABEL_VALUE,
    listOf,
} from "../allowed.ts";
import { is, isNot, usedIf, WITH_HTTPS, type Condition } from "./row.ts";

/** Ports of a control plane, such as `istio-system:15012`. */
const CONTROL_PLANE = text(
    (value) => HOST_PORT.fits(value) && !value.includes("."),
    "namespace:port such as istio-system:15012",
);
const POD_LABELS = text((value) => {
    const labels = pairsIn(value);
    const isLabel = ([key = "", label, ...rest]: readonly string[]) =>
        LABEL_KEY.fits(key) && label !== undefined && LABEL_VALUE.fits(label) && rest.length === 0;
    return labels.every(isLabel) && new Set(labels.map(([key]) => key)).size === labels.length;
}, "comma-separated labels such as app.kubernetes.io/name=traefik, each key once");

export function pairsIn(labels: string): readonly (readonly string[])[] {
    return labels.split(",").map((label) => label.split("="));
}

/** Of gateway controllers, unless the stack names a way to retry itself. */
const byPresetOf = (...controllers: readonly string[]): Condition => [
    "edge.controller",
    (value, valueOf) => valueOf("edge.retryFilter") !== "preset" || is(...controllers)(value),
];
const NOT_NONE: Condition = ["edge.retryFilter", isNot("none")];
const RETRIED = usedIf(NOT_NONE, byPresetOf("traefik", "envoy-gateway"));
/** The preset of a controller is its own. */
const BY_TRAEFIK = usedIf(
    NOT_NONE,
    ["edge.retryFilter", is("traefik", "preset")],
    byPresetOf("traefik"),
);

export const EDGE = {
    "edge.controller": setting(oneOf(...CONTROLLERS, "custom"), "traefik")`
        Gateway controller in its default installation: traefik, envoy-gateway, istio, cilium, nginx (NGINX Gateway
        Fabric 2) or custom. It sets the defaults of the keys below, which can be set where an installation differs;
        docs/edge.md has a table.`,
    "edge.gatewayClassName": setting(DNS_LABEL, "")`
        GatewayClass of the Gateway. Not set: the controller's. Required when edge.controller is custom.`,
    "edge.httpPort": setting(PORT, "")`
        Port of the Gateway's HTTP listener; for Traefik, the port of an entry point. With certificates.enabled it only
        redirects to HTTPS. Not set: the controller's (Traefik's chart 8000, others 80).`,
    "edge.httpsPort": setting(PORT, "", WITH_HTTPS)`
        Port of the Gateway's HTTPS listener, which exists with certificates.enabled. Not set: the controller's
        (Traefik's chart 8443, others 443).`,
    "edge.publicHttpPort": setting(PORT, "")`
        Port that clients connect to for HTTP. Not set: 80 with the controller's default listener port, otherwise the
        listener's port.`,
    "edge.publicHttpsPort": setting(PORT, "", WITH_HTTPS)`
        Port that clients connect to for HTTPS. Not set: 443 with the controller's default listener port, otherwise the
        listener's port.`,
    "edge.hostname": setting(HOST_NAME, "")`
        Host name of the route. Not set: any. Required with certificates.enabled.`,
    "edge.controllerNamespace": setting(DNS_LABEL, "")`
        Namespace of the gateway's pods, which may connect to the service; property-search-edge where the controller
        creates them for the Gateway. Not set: the controller's. Required when edge.controller is custom.`,
    "edge.controllerPodLabels": setting(POD_LABELS, "")`
        Labels of the gateway's pods. Not set: the controller's, otherwise any pod of the namespace.`,
    "edge.controllerCidrs": setting(listOf(CIDR), [])`
        Address ranges that may connect to the service, too. A gateway on the host network has its node's address, which
        no namespace selector matches.`,
    "edge.controlPlane": setting(CONTROL_PLANE, "")`
        Control plane from which the proxies of the Gateway get their configuration, such as istio-system:15012. Not
        set: the controller's, otherwise none.`,
    "edge.retryFilter": setting(oneOf("preset", "none", ...RETRY_FILTERS), "preset")`
        How the gateway retries requests whose connection to a pod was lost: preset (as the controller does best), none,
        traefik (its Middleware, 3.7 or newer), envoy-gateway (its BackendTrafficPolicy, 1.8 or newer) or gateway-api
        (the field retry of HTTPRoute, where the gateway has HTTPRouteRetryConnectionError). docs/service/faults.md says
        what each covers.`,
    "edge.retryAttempts": setting(integer(1, 50), 15, RETRIED)`
        Maximum number of retries of a request.`,
    "edge.retryIntervalMilliseconds": setting(integer(10, 10_000), 100, RETRIED)`
        Delay before the first retry. It at most doubles with each further retry.`,
    "edge.retryTimeoutSeconds": setting(integer(1, 300), 10, BY_TRAEFIK)`
        Time after which a request is not retried. Traefik only.`,
    "edge.retryBodyBytes": setting(integer(1_024, 8_388_608), 32_767, BY_TRAEFIK)`
        Size of the largest body that is buffered for a retry. Traefik only, which allocates one more byte per open
        request, whatever the size of its body; above 32 KiB the cost is noticeable.`,
};
