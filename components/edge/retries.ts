import { CONNECTION_LOST_STATUS, ROUTE_NAME } from "@property-search/contract";

/** Ways in which a gateway is configured to retry requests. */
export const RETRY_FILTERS = ["traefik", "envoy-gateway", "gateway-api"] as const;

/** Retries of requests whose connection to a pod was lost. */
export interface RetrySettings {
    /** Way in which the gateway is configured. */
    readonly filter: (typeof RETRY_FILTERS)[number];
    /** Most retries of a request. */
    readonly retryAttempts: number;
    /** Delay before the first retry; it grows to at most twice as much. */
    readonly retryIntervalMilliseconds: number;
    /** Time after which a request is no longer retried; only Traefik uses it. */
    readonly retryTimeoutSeconds: number;
    /** Size of the largest body that is kept for a retry; only Traefik uses it. */
    readonly retryBodyBytes: number;
}

/** Configuration of a gateway's retries. */
export interface Retries {
    /** Objects with the name of the route, created before it. */
    readonly objects: readonly RetryObject[];
    /** Fields of each rule of the route. */
    readonly rule: object;
}

interface RetryObject {
    /** Suffix of the resource's name in Pulumi's state. */
    readonly role: string;
    readonly apiVersion: string;
    readonly kind: string;
    readonly spec: object;
}

const NO_RETRIES: Retries = { objects: [], rule: {} };

/**
 * Retries requests whose connection to a pod was lost before the response began, including POST: computing an
 * embedding twice is harmless. A response of a pod, even an error, is never retried.
 *
 * @param settings undefined: the gateway does not retry
 */
export function gatewayRetries(settings: RetrySettings | undefined): Retries {
    return settings === undefined ? NO_RETRIES : ADAPTERS[settings.filter](settings);
}

const ADAPTERS: Readonly<Record<RetrySettings["filter"], (settings: RetrySettings) => Retries>> = {
    traefik,
    "envoy-gateway": envoyGateway,
    "gateway-api": gatewayApi,
};

/**
 * Traefik retries by default if nothing of the request was sent. An idle connection that was lost gives status 500.
 * A later loss is known only by the status of the response.
 */
function traefik(settings: RetrySettings): Retries {
    const [group, kind] = ["traefik.io", "Middleware"];
    const retry = {
        // Traefik counts the first attempt too.
        attempts: settings.retryAttempts + 1,
        initialInterval: `${settings.retryIntervalMilliseconds}ms`,
        timeout: `${settings.retryTimeoutSeconds}s`,
        status: [String(CONNECTION_LOST_STATUS)],
        retryNonIdempotentMethod: true,
        maxRequestBodyBytes: settings.retryBodyBytes,
    };
    const extensionRef = { group, kind, name: ROUTE_NAME };
    return {
        objects: [{ role: "retries", apiVersion: `${group}/v1alpha1`, kind, spec: { retry } }],
        rule: { filters: [{ type: "ExtensionRef", extensionRef }] },
    };
}

/** Half of the pods, and so half of the requests, may be lost at once. More than that is an outage. */
const BUDGET = { percent: { numerator: 50, denominator: 100 }, minRetryConcurrency: 10 };

/** Envoy distinguishes a lost connection from a response, tries another pod and limits the share of retries. */
function envoyGateway({ retryAttempts, retryIntervalMilliseconds }: RetrySettings): Retries {
    const backOff = {
        baseInterval: `${retryIntervalMilliseconds}ms`,
        maxInterval: `${2 * retryIntervalMilliseconds}ms`,
    };
    const spec = {
        targetRefs: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: ROUTE_NAME }],
        retry: {
            numRetries: retryAttempts,
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

/** GEP-1731: lost connections need no code. Without a code, gateways would choose codes themselves. */
function gatewayApi({ retryAttempts, retryIntervalMilliseconds }: RetrySettings): Retries {
    const codes = [CONNECTION_LOST_STATUS];
    const backoff = `${retryIntervalMilliseconds}ms`;
    const retry = { attempts: retryAttempts, backoff, codes };
    return { objects: [], rule: { retry } };
}
