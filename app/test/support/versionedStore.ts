import type { VersionedStore } from "../../src/redis/versionedStore.ts";

/** A store in memory that several pods share, and whose content tests replace. */
export function createStubVersionedStore(initialVersion = 0) {
    let stored: { version: number; record: string } | undefined;
    const versionOf = () => stored?.version ?? initialVersion;
    const store: VersionedStore = {
        version: () => Promise.resolve(stored?.version),
        read: () => Promise.resolve(stored?.record),
        putNext: (version, record) => {
            const isNext = versionOf() === version - 1;
            if (isNext) stored = { version, record };
            return Promise.resolve(isNext);
        },
        restore: (version, record) => {
            if (versionOf() < version) stored = { version, record };
            return Promise.resolve();
        },
        onReachable: () => undefined,
    };
    return {
        store,
        stored: () => stored,
        empty: () => (stored = undefined),
        overwrite: (version: number, record: string) => (stored = { version, record }),
    };
}
