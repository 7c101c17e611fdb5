import { NAMESPACES } from "@property-search/contract";
import type { Allowed } from "@property-search/contract/settings";
import {
    CONTROLLERS,
    GATEWAY_CONTROLLERS,
    GATEWAY_LABELS,
    UNKNOWN_PROXIES,
    type GatewayController,
    type GatewayProxies,
    type ProvisionedProxies,
} from "../components/edge/controllers.ts";
import { RETRY_FILTERS, type RetrySettings } from "../components/edge/retries.ts";
import { CIDR, DNS_LABEL, HOST_NAME, HOST_PORT, LABEL_KEY, LABEL_VALUE } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

/** Ports of a control plane, such as `istio-system:15012`. */
const CONTROL_PLANE: Allowed = {
    fits: (value) => HOST_PORT.fits(value) && !value.includes("."),
    words: "namespace:port such as istio-system:15012",
};

export interface EdgeConfig {
    readonly gatewayClassName: string;
    /** Ports of the Gateway's listeners. */
    readonly httpPort: number;
    readonly httpsPort: number;
    /** Ports that clients connect to. */
    readonly publicHttpPort: number;
    readonly publicHttpsPort: number;
    /** Undefined: any host name. */
    readonly hostname: string | undefined;
    readonly proxies: GatewayProxies;
    /** Undefined: the gateway sends nothing again. */
    readonly retries: RetrySettings | undefined;
}

export function readEdge(read: ConfigReader): EdgeConfig {
    const preset = readController(read);
    const port = (key: string, fallback: number) => read.integerOr(key, 1, 65_535, fallback);
    const httpPort = port("edge.httpPort", preset?.httpPort ?? 80);
    const httpsPort = port("edge.httpsPort", preset?.httpsPort ?? 443);
    // A listener port that the config sets itself is public as it is, unless the config says otherwise.
    const publicOf = (key: "http" | "https", listener: number): number => {
        const known = preset?.[`${key}Port`] === listener;
        const names = { http: "publicHttpPort", https: "publicHttpsPort" } as const;
        return known ? preset[names[key]] : listener;
    };
    return {
        gatewayClassName: valueOf(read, "edge.gatewayClassName", preset?.gatewayClassName),
        httpPort,
        httpsPort,
        publicHttpPort: port("edge.publicHttpPort", publicOf("http", httpPort)),
        publicHttpsPort: port("edge.publicHttpsPort", publicOf("https", httpsPort)),
        hostname: read.optional("edge.hostname", HOST_NAME),
        proxies: readProxies(read, preset, [httpPort, httpsPort]),
        retries: readRetries(read, preset?.retryFilter ?? "none"),
    };
}

/** Namespace of the gateway's pods. */
export function readControllerNamespace(read: ConfigReader): string {
    return valueOf(read, "edge.controllerNamespace", readController(read)?.namespace);
}

/** @returns undefined for a controller that the config describes itself. */
function readController(read: ConfigReader): GatewayController | undefined {
    const controller = read.oneOf("edge.controller", [...CONTROLLERS, "custom"]);
    return controller === "custom" ? undefined : GATEWAY_CONTROLLERS[controller];
}

/** A name that the config sets, or else the preset. */
function valueOf(read: ConfigReader, key: string, preset: string | undefined): string {
    return preset === undefined
        ? read.required(key, DNS_LABEL, "edge.controller is custom")
        : (read.optional(key, DNS_LABEL) ?? preset);
}

function readProxies(
    read: ConfigReader,
    preset: GatewayController | undefined,
    listeners: readonly [number, number],
): GatewayProxies {
    const namespace = readControllerNamespace(read);
    const inside = namespace === NAMESPACES.edge;
    const labels = read.optional("edge.controllerPodLabels", POD_LABELS);
    // A preset's labels are those of its own namespace; elsewhere somebody has installed it differently.
    const known = namespace === preset?.namespace ? preset.podLabels : {};
    const podPort = preset?.podPort ?? ((port: number) => port);
    const provisions = preset?.provisions ?? (inside ? UNKNOWN_PROXIES : undefined);
    const controlPlane = controlPlaneOf(read.optional("edge.controlPlane", CONTROL_PLANE));
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
        cidrs: read.list("edge.controllerCidrs", CIDR),
        podPorts: [podPort(listeners[0]), podPort(listeners[1])],
        provisions: provisions && { ...provisions, ...(controlPlane && { controlPlane }) },
        entity: preset?.entity,
    };
}

const POD_LABELS: Allowed = {
    fits: (value) => {
        const labels = pairsIn(value);
        const isLabel = ([key = "", text, ...rest]: readonly string[]) =>
            LABEL_KEY.fits(key) &&
            text !== undefined &&
            LABEL_VALUE.fits(text) &&
            rest.length === 0;
        return labels.every(isLabel) && new Set(labels.map(([key]) => key)).size === labels.length;
    },
    words: "labels such as app.kubernetes.io/name=traefik, with commas between, each key once",
};

function pairsIn(text: string): readonly (readonly string[])[] {
    return text.split(",").map((label) => label.split("="));
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
    const given = read.oneOf("edge.retryFilter", ["preset", "none", ...RETRY_FILTERS]);
    const filter = given === "preset" ? preset : given;
    const controller = read.oneOf("edge.controller", [...CONTROLLERS, "custom"]);
    // Their objects are of one controller, and any other answers requests of such a route by an error.
    if ((filter === "traefik" || filter === "envoy-gateway") && filter !== controller) {
        if (controller !== "custom") {
            const words = `is "${filter}"; allowed: preset, none, gateway-api, since edge.controller is ${controller}`;
            read.addError("edge.retryFilter", words);
        }
    }
    const bounds = {
        attempts: read.integer("edge.retryAttempts", 1, 50),
        intervalMilliseconds: read.integer("edge.retryIntervalMilliseconds", 10, 10_000),
        timeoutSeconds: read.integer("edge.retryTimeoutSeconds", 1, 300),
        maxBodyBytes: read.integer("edge.retryBodyBytes", 1024, 8_388_608),
    };
    return filter === "none" ? undefined : { filter, ...bounds };
}
