import {
    ApiException,
    KubernetesObjectApi,
    wrapHttpLibrary,
    type Configuration,
    type HttpLibrary,
    type RequestContext,
    type ResponseContext,
} from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";

/** As often as client-go tries again. */
const RETRIES = 10;

/**
 * The client for objects of any kind, which waits as long as the API server asks and asks again. A server
 * that refuses a request with Retry-After has not carried it out: it is overloaded, or a kind that was
 * defined just now has no storage yet (429 "storage is (re)initializing"). kubectl and all clients written in Go
 * do the same.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
 */
export class RetryingObjectApi extends KubernetesObjectApi {
    constructor(configuration: Configuration) {
        const { httpApi } = configuration;
        const retrying = wrapHttpLibrary({ send: (request) => sendUntilTaken(httpApi, request) });
        super({ ...configuration, httpApi: retrying });
    }
}

async function sendUntilTaken(
    httpApi: HttpLibrary,
    request: RequestContext,
): Promise<ResponseContext> {
    for (let retries = 0; ; retries += 1) {
        const response = await httpApi.send(request).toPromise();
        const seconds = secondsToWait(response);
        if (seconds === undefined || retries === RETRIES) return response;
        await response.body.text();
        await delay(seconds * 1000);
    }
}

/** Whether an error is the last of many answers that asked to come again. */
export function wasRetried(error: unknown): boolean {
    if (!(error instanceof ApiException)) return false;
    const { code: httpStatusCode, headers } = error as ApiException<unknown>;
    return secondsToWait({ httpStatusCode, headers }) !== undefined;
}

/** Seconds after which the server wants to be asked again; undefined where it gave its answer. */
function secondsToWait({
    httpStatusCode,
    headers,
}: Pick<ResponseContext, "httpStatusCode" | "headers">): number | undefined {
    if (httpStatusCode !== 429 && httpStatusCode < 500) return undefined;
    const header = headers["retry-after"];
    return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}
