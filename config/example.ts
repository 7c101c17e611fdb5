import type { ExampleSettings } from "../components/example.ts";
import { GATEWAY_CONTROLLERS } from "../components/edge/controllers.ts";
import type { EdgeConfig } from "./edge.ts";
import type { ConfigReader } from "./reader.ts";

export interface ExampleConfig extends Omit<ExampleSettings, "model"> {
    /** URLs outside of the stack, for network policies: empty for the Gateway's Service in the cluster. */
    readonly outside: Readonly<Record<"service" | "gateway" | "chat", string>>;
}

/** @returns undefined if the stack has no example. */
export function readExample(
    read: ConfigReader,
    edge: EdgeConfig,
    isSecure: boolean,
): ExampleConfig | undefined {
    const { enabled, image, serviceUrl: givenUrl, ...chat } = read.group("example");
    const { chatUrl, chatModel, chatTimeoutSeconds, chatApiKey } = chat;
    if (!enabled) return undefined;
    const gatewayUrl = givenUrl === undefined ? publicUrl(edge, isSecure) : undefined;
    return {
        image: image ?? read.required("example.image", "example.enabled is true"),
        serviceUrl: givenUrl ?? gatewayUrl ?? serviceUrl(read, edge),
        chat:
            chatUrl === undefined
                ? undefined
                : {
                      url: chatUrl,
                      model: chatModel,
                      timeoutSeconds: chatTimeoutSeconds,
                      apiKey: chatApiKey,
                  },
        outside: { service: givenUrl ?? "", gateway: gatewayUrl ?? "", chat: chatUrl ?? "" },
    };
}

/** The route has a host name, which requests to the Gateway's Service would lack. */
function publicUrl(edge: EdgeConfig, isSecure: boolean): string | undefined {
    const { hostname, publicHttpPort, publicHttpsPort } = edge;
    if (hostname === undefined) return undefined;
    return isSecure
        ? `https://${hostname}${publicHttpsPort === 443 ? "" : `:${publicHttpsPort}`}`
        : `http://${hostname}${publicHttpPort === 80 ? "" : `:${publicHttpPort}`}`;
}

/** Of the Service that the controller has for the Gateway. */
function serviceUrl(read: ConfigReader, { proxies, publicHttpPort: port }: EdgeConfig): string {
    const controller = read.get("edge.controller");
    if (controller === "custom") {
        const reason = "edge.controller is custom and edge.hostname is not set";
        return read.required("example.serviceUrl", reason);
    }
    const { name, namespace = proxies.namespace } = GATEWAY_CONTROLLERS[controller].service;
    return `http://${name}.${namespace}.svc.cluster.local${port === 80 ? "" : `:${port}`}`;
}
