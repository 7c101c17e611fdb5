import type { HttpLibrary, RequestContext, ResponseContext } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";

/** As often as client-go tries again. */
const RETRIES = 10;

/**
 * Sends a request, waits as long as the API server asks and sends it again. A server that refuses a request with
 * Retry-After has not carried it out: it is overloaded, or a kind that was defined just now has no storage yet
 * (429 "storage is (re)initializing"). kubectl and all clients written in Go do the same.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
 */
export async function sendUntilTaken(
    httpApi: HttpLibrary,
    request: RequestContext,
): Promise<ResponseContext> {
    for (let retries = 0; ; retries += 1) {
        const response = await httpApi.send(request).toPromise();
        const seconds = secondsToWait(response.httpStatusCode, response.headers);
        if (seconds === undefined || retries === RETRIES) return response;
        await response.body.text();
        await delay(seconds * 1000);
    }
}

/** Seconds after which the server wants to be asked again; undefined where it gave its answer. */
export function secondsToWait(
    status: number,
    headers: Readonly<Record<string, string>>,
): number | undefined {
    if (status !== 429 && status < 500) return undefined;
    const header = headers["retry-after"];
    return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}
