import type { Log } from "../log.ts";
import { createPolledRecords } from "./polledRecords.ts";
import type { VersionedStore } from "./versionedStore.ts";

/** A record that all pods poll from Redis, and replace as a whole. Its versions are consecutive. */
export interface VersionedRecord<T> {
    readonly current: () => T;
    /** False until the first successful read. */
    readonly isKnown: () => boolean;
    /**
     * Takes effect here immediately, and in other pods within VERSION_PROPAGATION_MILLISECONDS.
     *
     * @param version of the new record; undefined: whatever follows
     * @param next creates it from the current one
     * @throws VersionConflictError if `version` does not follow the current version; OutcomeUnknownError if Redis does not
     * answer
     */
    readonly replace: (
        version: number | undefined,
        next: (current: T, version: number) => T,
    ) => Promise<T>;
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

export interface VersionedRecordOptions<T> {
    /** Name in messages, as the beginning of a sentence. */
    readonly name: string;
    readonly store: VersionedStore;
    readonly initial: T;
    readonly versionOf: (record: T) => number;
    /** @returns undefined for text that is no valid record: another build may have written it */
    readonly parse: (text: string) => T | undefined;
    readonly onChange: (record: T) => void;
    readonly log: Log;
}

/** Another record has been stored meanwhile. */
export class VersionConflictError extends Error {
    constructor(version: number, current: number) {
        super(`version is ${version}; allowed: ${current + 1}, which follows the current one`);
        this.name = "VersionConflictError";
    }
}

/** Redis has not answered: the record may have been stored. */
export class OutcomeUnknownError extends Error {
    constructor(version: number, cause: unknown) {
        super(`Redis does not respond: whether version ${version} was stored is unknown`, {
            cause,
        });
        this.name = "OutcomeUnknownError";
    }
}

/** One poll interval plus the timeout of a read. */
export const VERSION_PROPAGATION_MILLISECONDS = 1_200;
/** Attempts of a change of any version when others change the record concurrently. */
const ATTEMPTS = 5;

export function createVersionedRecord<T>({
    name,
    store,
    initial,
    versionOf,
    parse,
    onChange,
    log,
}: VersionedRecordOptions<T>): VersionedRecord<T> {
    let current = initial;
    const { isKnown, start, stop, poll } = createPolledRecords({
        name,
        read,
        onReachable: store.onReachable,
        log,
    });

    async function read(): Promise<void> {
        const version = versionOf(current);
        const stored = (await store.version()) ?? versionOf(initial);
        if (stored === version) return;
        // An emptied Redis, or one restored from an older snapshot.
        if (stored < version) await store.restore(version, JSON.stringify(current));
        else adopt(parse((await store.read()) ?? ""));
    }

    function adopt(record: T | undefined): void {
        if (!record) {
            log.warn(`${name}: the stored version is invalid, and the previous one stays in force`);
            return;
        }
        // A poll may have been faster than the answer to a change of this pod.
        if (versionOf(record) <= versionOf(current)) return;
        current = record;
        onChange(record);
        log.info({ version: versionOf(record) }, `${name} have changed`);
    }

    async function put(record: T): Promise<boolean> {
        const version = versionOf(record);
        try {
            return await store.putNext(version, JSON.stringify(record));
        } catch (error) {
            throw new OutcomeUnknownError(version, error);
        }
    }

    return {
        current: () => current,
        isKnown,
        replace: async (version, next) => {
            for (let attempt = 1; ; attempt += 1) {
                await poll();
                const expected = versionOf(current) + 1;
                const record = next(current, version ?? expected);
                const isNext = versionOf(record) === expected && (await put(record));
                if (isNext) {
                    adopt(record);
                    return record;
                }
                if (version !== undefined || attempt === ATTEMPTS)
                    throw new VersionConflictError(versionOf(record), expected - 1);
            }
        },
        start,
        stop,
    };
}
