import { retryWithBackoff } from "../redis/retryWithBackoff.ts";
import type { Epochs } from "../key/epochs.ts";
import type { Log } from "../log.ts";
import type { Quarantines } from "../quarantines/quarantines.ts";
import type { Invalidations } from "../invalidations/invalidations.ts";
import { redisUnavailable } from "./redisUnavailable.ts";

/**
 * Whether this pod has read which entries may be served. Until then, it cannot answer questions about them.
 */
export interface DataReadiness {
    readonly isComplete: () => boolean;
    /** @throws HttpError 503 if the data is incomplete */
    readonly requireComplete: () => void;
    /**
     * For bulk work, which can wait for Redis.
     *
     * @throws HttpError 503 if the data stays incomplete
     */
    readonly waitUntilComplete: () => Promise<void>;
}

export interface DataReadinessDependencies {
    readonly epochs: Pick<Epochs, "isKnown">;
    readonly invalidations: Pick<Invalidations, "isKnown">;
    readonly quarantines: Pick<Quarantines, "isUpToDate">;
    /** Whether this pod shares the data with other pods. */
    readonly shared: boolean;
    readonly log: Log;
}

export function createDataReadiness(dependencies: DataReadinessDependencies): DataReadiness {
    const { epochs, invalidations, quarantines, shared, log } = dependencies;
    const isComplete = (): boolean => epochs.isKnown() && invalidations.isKnown();
    const missing = new Error("Epochs, invalidations or quarantines have not been read yet");

    return {
        isComplete,
        requireComplete: () => {
            if (!isComplete()) throw redisUnavailable(missing, log);
        },
        waitUntilComplete: async () => {
            if (!shared) return;
            try {
                await retryWithBackoff(() =>
                    isComplete() && quarantines.isUpToDate()
                        ? Promise.resolve()
                        : Promise.reject(missing),
                );
            } catch (error) {
                throw redisUnavailable(error, log);
            }
        },
    };
}
