import type { Cluster, Redis } from "ioredis";

/** Sums shared by all pods, and the share of each pod. */
export interface UsageStore {
    /**
     * Increments fields of a hash and this pod's share of each atomically. After a lost response, the share
     * shows whether the increment arrived. Also sets the expiry of the hash.
     */
    readonly addAndRead: (
        key: string,
        pod: string,
        additions: Readonly<Record<string, number>>,
        seconds: number,
    ) => Promise<Readonly<Record<string, Sum>>>;
}

export interface Sum {
    readonly all: number;
    /** Share of this pod. */
    readonly own: number;
}

export function createRedisUsageStore(client: Redis | Cluster): UsageStore {
    return {
        addAndRead: async (key, pod, additions, seconds) => {
            const names = Object.keys(additions);
            const shareOf = (name: string): string => `${name}:${pod}`;
            const change = client.multi();
            for (const [name, by] of Object.entries(additions)) {
                if (by === 0) continue;
                change.hincrby(key, name, by).hincrby(key, shareOf(name), by);
            }
            change.expire(key, seconds).hmget(key, ...names, ...names.map(shareOf));
            const replies = (await change.exec()) ?? [];
            const failed = replies.find(([error]) => error);
            if (failed?.[0]) throw failed[0];
            const values = (replies.at(-1)?.[1] ?? []) as readonly (string | null)[];
            const sums = names.map((name, at) => {
                const sum = { all: Number(values[at]), own: Number(values[names.length + at]) };
                return [name, sum] as const;
            });
            return Object.fromEntries(sums);
        },
    };
}
