import { hash } from "node:crypto";

import { CACHE_KEY_PREFIX } from "@property-search/contract";
import type { Cluster, Redis } from "ioredis";

import { littleEndianBytes, vectorFromBytes } from "../../vector/entry.ts";
import type { ReferenceStore } from "./fallbacks.ts";

/** Pods write it at each start; the vector of an unused model expires. */
const KEPT_SECONDS = 30 * 86_400;

/** @param space identifies the model and its revision */
export function createRedisReferenceStore(
    client: Redis | Cluster,
    space: readonly string[],
): ReferenceStore {
    const digest = hash("sha256", JSON.stringify(space), "hex").slice(0, 16);
    const key = `${CACHE_KEY_PREFIX}{reference}:${digest}`;
    return {
        read: async () => {
            const bytes = await client.getBuffer(key);
            return bytes === null ? undefined : vectorFromBytes(bytes);
        },
        write: async (vector) => {
            const bytes = littleEndianBytes(vector);
            await client.set(key, bytes, "EX", KEPT_SECONDS);
        },
    };
}
