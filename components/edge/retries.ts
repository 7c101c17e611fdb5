import { CONNECTION_LOST_STATUS, ROUTE_NAME } from "@property-search/contract";

/** Who can send a request again; each its own way. */
export const RETRY_FILTERS = ["traefik", "envoy-gateway", "gateway-api"] as const;

export interface RetrySettings {
    readonly filter: (typeof RETRY_FILTERS)[number];
    /** Times that a request is sent again at most. */
    readonly attempts: number;
    /** Before the first of them; before the last it is up to twice as long. */
    readonly intervalMilliseconds: number;
    /** After so long a request is not sent again any more; heeded by Traefik only. */
    readonly timeoutSeconds: number;
    /** Of the longest body that is kept to be sent again; heeded by Traefik only. */
    readonly maxBodyBytes: number;
}

/** What makes a gateway send a request again. */
export interface Retries {
    /** Objects beside the route, each under the route's own name and before it. */
    readonly objects: readonly RetryObject[];
    /** Fields of each of the route's rules. */
    readonly rule: object;
}

interface RetryObject {
    /** Ends the name of the resource in Pulumi's state. */
    readonly role: string;
    readonly apiVersion: string;
    readonly kind: string;
    readonly spec: object;
}

const NOTHING: Retries = { objects: [], rule: {} };

/**
 * Has requests sent again whose connection to a pod broke before its answer began, POST included: an
 * embedding may be made twice. Whatever a pod has answered, an error too, goes to the client as it is.
 *
 * @param settings undefined: nothing is sent again.
 */
export function gatewayRetries(settings: RetrySettings | undefined): Retries {
    return settings === undefined ? NOTHING : ADAPTERS[settings.filter](settings);
}

const ADAPTERS: Readonly<Record<RetrySettings["filter"], (settings: RetrySettings) => Retries>> = {
    traefik,
    "envoy-gateway": envoyGateway,
    "gateway-api": gatewayApi,
};

/**
 * Traefik sends a request again by itself if none of it was sent, also where an idle connection broke, for
 * which it has a 500. What broke later it knows only by the status that it would answer with.
 */
function traefik({
    attempts,
    intervalMilliseconds,
    timeoutSeconds: seconds,
    maxBodyBytes: bodyBytes,
}: RetrySettings): Retries {
    const [group, kind] = ["traefik.io", "Middleware"];
    const retry = {
        // It counts the first one too.
        attempts: attempts + 1,
        initialInterval: `${intervalMilliseconds}ms`,
        timeout: `${seconds}s`,
        status: [String(CONNECTION_LOST_STATUS)],
        retryNonIdempotentMethod: true,
        maxRequestBodyBytes: bodyBytes,
    };
    const extensionRef = { group, kind, name: ROUTE_NAME };
    return {
        objects: [{ role: "retries", apiVersion: `${group}/v1alpha1`, kind, spec: { retry } }],
        rule: { filters: [{ type: "ExtensionRef", extensionRef }] },
    };
}

/** Half of the pods can be lost at once, and with them half of the requests; more is no loss but a failure. */
const BUDGET = { percent: { numerator: 50, denominator: 100 }, minRetryConcurrency: 10 };

/** Envoy knows a broken connection from an answer, tries another pod, and bounds the share of retries. */
function envoyGateway({ attempts, intervalMilliseconds }: RetrySettings): Retries {
    const backOff = {
        baseInterval: `${intervalMilliseconds}ms`,
        maxInterval: `${2 * intervalMilliseconds}ms`,
    };
    const spec = {
        targetRefs: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: ROUTE_NAME }],
        retry: {
            numRetries: attempts,
            retryOn: { triggers: ["connect-failure", "reset", "refused-stream"] },
            perRetry: { backOff },
        },
        circuitBreaker: { retryBudget: BUDGET },
    };
    const apiVersion = "gateway.envoyproxy.io/v1alpha1";
    return {
        objects: [{ role: "retries", apiVersion, kind: "BackendTrafficPolicy", spec }],
        rule: {},
    };
}

/** GEP-1731: broken connections need no code. With none, gateways would take codes of their own choice. */
function gatewayApi({ attempts, intervalMilliseconds }: RetrySettings): Retries {
    const codes = [CONNECTION_LOST_STATUS];
    const retry = { attempts, backoff: `${intervalMilliseconds}ms`, codes };
    return { objects: [], rule: { retry } };
}
