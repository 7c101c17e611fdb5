import { patiently } from "../cache/patiently.ts";
import type { Epochs } from "../key/epochs.ts";
import type { Log } from "../log.ts";
import type { Trials } from "../trials/trials.ts";
import type { Withdrawals } from "../withdrawals/withdrawals.ts";
import { redisAway } from "./redisAway.ts";

/** Whether this pod knows which entries may be served: before, no answer about them would be true. */
export interface Knowledge {
    readonly isComplete: () => boolean;
    /** @throws HttpError 503 when it is not */
    readonly require: () => void;
    /** For bulk work, which can wait for Redis. @throws HttpError 503 when it stays incomplete */
    readonly await: () => Promise<void>;
}

export interface KnowledgeParts {
    readonly epochs: Pick<Epochs, "isKnown">;
    readonly withdrawals: Pick<Withdrawals, "isKnown">;
    readonly trials: Pick<Trials, "current">;
    /** Other pods share it with this one. */
    readonly shared: boolean;
    readonly log: Log;
}

export function knowledge(parts: KnowledgeParts): Knowledge {
    const { epochs, withdrawals, trials, shared, log } = parts;
    const isComplete = (): boolean => epochs.isKnown() && withdrawals.isKnown();
    const missing = new Error("Epochs, withdrawals or trials were not read yet");

    return {
        isComplete,
        require: () => {
            if (!isComplete()) throw redisAway(missing, log);
        },
        await: async () => {
            if (!shared) return;
            try {
                await patiently(() =>
                    isComplete() && trials.current() ? Promise.resolve() : Promise.reject(missing),
                );
            } catch (error) {
                throw redisAway(error, log);
            }
        },
    };
}
