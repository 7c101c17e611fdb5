import type { Input } from "../input.ts";
import type { Scope } from "../scope.ts";
import type { Embedding } from "../vector/embedding.ts";

/** What one request wants of the upstream. */
export interface Ask extends Scope {
    readonly inputs: readonly Input[];
    readonly resolve: (embeddings: readonly Embedding[]) => void;
    readonly reject: (error: Error) => void;
}

export interface AskQueue {
    readonly add: (ask: Ask) => void;
    /**
     * Takes what goes into one call together: the same length of vectors, tenant after tenant in turn, so
     * that one tenant's bulk job does not keep the others waiting.
     */
    readonly take: (limits: CallLimits) => readonly Ask[];
    /** Inputs that wait. */
    readonly inputs: () => number;
    readonly asks: () => number;
}

export interface CallLimits {
    readonly items: number;
    readonly bytes: number;
}

/** First come, first served within a tenant; tenants in turn. */
export function askQueue(): AskQueue {
    const lines = new Map<string, Ask[]>();
    let inputs = 0;
    let asks = 0;

    return {
        add: (ask) => {
            const line = lines.get(ask.tenant);
            if (line) line.push(ask);
            else lines.set(ask.tenant, [ask]);
            inputs += ask.inputs.length;
            asks += 1;
        },
        take: (limits) => {
            const taken: Ask[] = [];
            const room = { items: limits.items, bytes: limits.bytes };
            let blocked = 0;
            while (lines.size > blocked) {
                const [next] = lines;
                if (!next) break;
                const [tenant, line] = next;
                lines.delete(tenant);
                const ask = line[0];
                if (ask && fits(ask, taken, room)) {
                    line.shift();
                    taken.push(ask);
                    room.items -= ask.inputs.length;
                    room.bytes -= bytesOf(ask);
                    blocked = 0;
                } else blocked += 1;
                // To the end of the round, and out of it when nothing waits.
                if (line.length > 0) lines.set(tenant, line);
            }
            for (const ask of taken) inputs -= ask.inputs.length;
            asks -= taken.length;
            return taken;
        },
        inputs: () => inputs,
        asks: () => asks,
    };
}

/** The first always fits: alone it is as large as a request may be. */
function fits(ask: Ask, taken: readonly Ask[], room: CallLimits): boolean {
    const [first] = taken;
    if (!first) return true;
    if (ask.dimensions !== first.dimensions) return false;
    return ask.inputs.length <= room.items && bytesOf(ask) <= room.bytes;
}

function bytesOf({ inputs }: Ask): number {
    return inputs.reduce((sum, input) => sum + sizeOf(input), 0);
}

function sizeOf(input: Input): number {
    return input.kind === "text" ? input.text.length : input.ids.length * 4;
}
