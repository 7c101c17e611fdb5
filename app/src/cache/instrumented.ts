import type { RedisOperation } from "@property-search/contract";

import type { RedisCommands } from "../redis/client.ts";

export interface OperationEvents {
    readonly answered: (operation: RedisOperation, seconds: number) => void;
    readonly failed: (operation: RedisOperation) => void;
}

/** Records duration and outcome of the cache's commands. */
export function metered(commands: RedisCommands, events: OperationEvents): RedisCommands {
    async function timed<T>(operation: RedisOperation, run: () => Promise<T>): Promise<T> {
        const begun = performance.now();
        try {
            const answer = await run();
            events.answered(operation, (performance.now() - begun) / 1000);
            return answer;
        } catch (error) {
            events.failed(operation);
            throw error;
        }
    }

    return {
        ...commands,
        read: (...args) => timed("read", () => commands.read(...args)),
        write: (...args) => timed("write", () => commands.write(...args)),
        claim: (...args) => timed("lease", () => commands.claim(...args)),
        yield: (...args) => timed("release", () => commands.yield(...args)),
    };
}
