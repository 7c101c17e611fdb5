import { METRICS, OTHER_ROUTES, type OtherRoute } from "@property-search/contract";
import type { Registry } from "prom-client";

import { createFamilies, mapKeys } from "./families.ts";

/** Requests on the routes that return no vectors. */
export interface OtherRequestMetrics {
    readonly onRequestEnd: (route: OtherRoute, code: number) => void;
}

const CODES = [200, 204, 400, 401, 404, 405, 413, 429, 499, 500, 503] as const;

export function createOtherRequestMetrics(registry: Registry): OtherRequestMetrics {
    const { counter } = createFamilies(registry);
    const requests = counter(
        METRICS.otherRequests,
        "HTTP requests on other routes than those for embeddings, by route and status code",
    );
    const byRoute = mapKeys(
        OTHER_ROUTES,
        (route) =>
            new Map<number, ReturnType<typeof requests.series>>(
                CODES.map((code) => [code, requests.series({ route, code })]),
            ),
    );
    return {
        onRequestEnd: (route, code) => {
            const codes = byRoute[route];
            let count = codes.get(code);
            if (count === undefined) {
                count = requests.series({ route, code });
                codes.set(code, count);
            }
            count.value += 1;
        },
    };
}
