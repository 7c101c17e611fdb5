import type { HttpLibrary, RequestContext, ResponseContext } from "@kubernetes/client-node";
import { setTimeout as delay } from "node:timers/promises";

/** Number of retries of client-go. */
const MAX_RETRIES = 10;

/**
 * Sends a request and repeats it after the delay of a Retry-After header. A server that responds with Retry-After has not
 * processed the request: it is overloaded, or a new kind has no storage yet (429 "storage is (re)initializing").
 * kubectl and all Go clients do the same.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
 */
export async function sendWithRetryAfter(
    httpApi: HttpLibrary,
    request: RequestContext,
): Promise<ResponseContext> {
    for (let retries = 0; ; retries += 1) {
        const response = await httpApi.send(request).toPromise();
        const seconds = retryAfterSeconds(response.httpStatusCode, response.headers);
        if (seconds === undefined || retries === MAX_RETRIES) return response;
        await response.body.text();
        await delay(seconds * 1000);
    }
}

/** Seconds of the Retry-After header of a retryable response; undefined for any other response. */
export function retryAfterSeconds(
    status: number,
    headers: Readonly<Record<string, string>>,
): number | undefined {
    if (status !== 429 && status < 500) return undefined;
    const header = headers["retry-after"];
    return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}
