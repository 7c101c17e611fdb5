import { NAMESPACES } from "@property-search/contract";
import {
    GATEWAY_CONTROLLERS,
    GATEWAY_LABELS,
    UNKNOWN_PROXIES,
    type GatewayController,
    type GatewayProxies,
    type ProvisionedProxies,
} from "../components/edge/controllers.ts";
import type { RetrySettings } from "../components/edge/retries.ts";
import type { ConfigReader } from "./reader.ts";
import { pairsIn } from "./settings/edge.ts";

/** Undefined in its values: any host name, no retries. */
export type EdgeConfig = ReturnType<typeof readEdge>;

export function readEdge(read: ConfigReader) {
    const preset = readController(read);
    const set = read.group("edge");
    const httpPort = set.httpPort ?? preset?.httpPort ?? 80;
    const httpsPort = set.httpsPort ?? preset?.httpsPort ?? 443;
    // A listener port that the config sets itself is public as it is, unless the config says otherwise.
    const publicOf = (key: "http" | "https", listener: number): number => {
        const known = preset?.[`${key}Port`] === listener;
        const names = { http: "publicHttpPort", https: "publicHttpsPort" } as const;
        return known ? preset[names[key]] : listener;
    };
    return {
        ...set,
        gatewayClassName: nameOf(read, "edge.gatewayClassName", preset?.gatewayClassName),
        httpPort,
        httpsPort,
        publicHttpPort: set.publicHttpPort ?? publicOf("http", httpPort),
        publicHttpsPort: set.publicHttpsPort ?? publicOf("https", httpsPort),
        proxies: readProxies(read, preset, [httpPort, httpsPort]),
        retries: readRetries(read, preset?.retryFilter ?? "none"),
    };
}

/** Namespace of the gateway's pods. */
export function readControllerNamespace(read: ConfigReader): string {
    return nameOf(read, "edge.controllerNamespace", readController(read)?.namespace);
}

/** @returns undefined for a controller that the config describes itself. */
function readController(read: ConfigReader): GatewayController | undefined {
    const controller = read.get("edge.controller");
    return controller === "custom" ? undefined : GATEWAY_CONTROLLERS[controller];
}

/** A name that the config sets, or else the preset. */
function nameOf(
    read: ConfigReader,
    key: "edge.gatewayClassName" | "edge.controllerNamespace",
    preset: string | undefined,
): string {
    return read.get(key) ?? preset ?? read.required(key, "edge.controller is custom");
}

function readProxies(
    read: ConfigReader,
    preset: GatewayController | undefined,
    listeners: readonly [number, number],
): GatewayProxies {
    const namespace = readControllerNamespace(read);
    const inside = namespace === NAMESPACES.edge;
    const { controllerPodLabels: labels, controllerCidrs: cidrs, ...set } = read.group("edge");
    // A preset's labels are those of its own namespace; elsewhere the installation is a different one.
    const known = namespace === preset?.namespace ? preset.podLabels : {};
    const podPort = preset?.podPort ?? ((port: number) => port);
    const provisions = preset?.provisions ?? (inside ? UNKNOWN_PROXIES : undefined);
    const controlPlane = controlPlaneOf(set.controlPlane);
    if (controlPlane && !inside) {
        const reason = `since the gateway's pods are in ${JSON.stringify(namespace)}, not in ${NAMESPACES.edge}`;
        read.addError(
            "edge.controlPlane",
            `is set, and has no effect; allowed: nothing, ${reason}`,
        );
    }
    return {
        namespace,
        podLabels: labels === undefined ? (inside ? GATEWAY_LABELS : known) : labelsOf(labels),
        cidrs,
        podPorts: [podPort(listeners[0]), podPort(listeners[1])],
        provisions: provisions && { ...provisions, ...(controlPlane && { controlPlane }) },
        entity: preset?.entity,
    };
}

function labelsOf(text: string): Record<string, string> {
    return Object.fromEntries(pairsIn(text)) as Record<string, string>;
}

function controlPlaneOf(text: string | undefined): ProvisionedProxies["controlPlane"] {
    const [namespace = "", port] = text?.split(":") ?? [];
    return text === undefined ? undefined : { namespace, port: Number(port) };
}

function readRetries(
    read: ConfigReader,
    preset: GatewayController["retryFilter"],
): RetrySettings | undefined {
    const { controller, retryFilter, ...settings } = read.group("edge");
    const filter = retryFilter === "preset" ? preset : retryFilter;
    // Their objects are of one controller, and any other answers requests of such a route by an error.
    if ((filter === "traefik" || filter === "envoy-gateway") && filter !== controller) {
        if (controller !== "custom") {
            const words = `is "${filter}"; allowed: preset, none, gateway-api, since edge.controller is ${controller}`;
            read.addError("edge.retryFilter", words);
        }
    }
    if (filter === "none") return undefined;
    return { ...settings, filter };
}
