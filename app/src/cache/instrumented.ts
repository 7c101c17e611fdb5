import type { RedisOperation } from "@property-search/contract";

import type { RedisCommands } from "../redis/client.ts";

export interface OperationEvents {
    readonly onSuccess: (operation: RedisOperation, seconds: number) => void;
    readonly onFailure: (operation: RedisOperation) => void;
}

/** Records duration and outcome of the cache's commands. */
export function instrument(commands: RedisCommands, events: OperationEvents): RedisCommands {
    async function measure<T>(operation: RedisOperation, run: () => Promise<T>): Promise<T> {
        const start = performance.now();
        try {
            const reply = await run();
            events.onSuccess(operation, (performance.now() - start) / 1000);
            return reply;
        } catch (error) {
            events.onFailure(operation);
            throw error;
        }
    }

    return {
        ...commands,
        read: (...args) => measure("read", () => commands.read(...args)),
        write: (...args) => measure("write", () => commands.write(...args)),
        acquireLeases: (...args) => measure("lease", () => commands.acquireLeases(...args)),
        releaseLeases: (...args) => measure("release", () => commands.releaseLeases(...args)),
    };
}
