import { UserError } from "@property-search/contract";

import type { LoadTarget } from "./target.ts";
import type { ServiceName } from "./traffic/requests.ts";

const PAGE = 100;

/**
 * Reads the ids of the listings, which POI calls need.
 *
 * @returns none if no service needs them
 * @throws UserError if the target has no property API
 */
export async function readProperties(
    { url, headers }: Pick<LoadTarget, "url" | "headers">,
    services: readonly ServiceName[],
): Promise<readonly string[]> {
    if (!services.some((service) => service !== "embed")) return [];
    const ids: string[] = [];
    for (;;) {
        const where = `${url}/api/properties?limit=${PAGE}&offset=${ids.length}`;
        const response = await fetch(where, { headers, signal: AbortSignal.timeout(10_000) }).catch(
            (error: unknown) => {
                throw new UserError(`GET ${where} failed: ${reasonOf(error)}`);
            },
        );
        if (!response.ok) {
            await response.body?.cancel();
            throw new UserError(
                `GET ${where} responded with ${response.status}: the target has no property API ` +
                    "(examples/property-search); SERVICES=embed leaves it out",
            );
        }
        const { properties, total } = (await response.json()) as {
            properties: { id: string }[];
            total: number;
        };
        ids.push(...properties.map(({ id }) => id));
        if (ids.length >= total || properties.length === 0) return ids;
    }
}

function reasonOf(error: unknown): string {
    const cause = (error as { cause?: unknown }).cause ?? error;
    return cause instanceof Error ? cause.message || cause.name : String(cause);
}
