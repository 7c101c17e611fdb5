import type { Input } from "../../input.ts";

/** The inputs of a request that wait for an upstream call. */
export interface QueuedAsk {
    readonly tenant: string;
    /** Only calls of the same group are batched: same dimensions, and either texts or token IDs. */
    readonly group: string;
    readonly inputs: readonly Input[];
}

/** A range of the inputs of a pending call. */
export interface Slice<Ask extends QueuedAsk> {
    readonly ask: Ask;
    readonly from: number;
    readonly to: number;
}

export interface AskQueue<Ask extends QueuedAsk> {
    readonly add: (ask: Ask) => void;
    readonly remove: (ask: Ask) => void;
    /**
     * Takes inputs for one call from the tenants in turn, so that one tenant's bulk job does not delay the
     * others. Only a request that exceeds a whole call is split.
     */
    readonly take: (size: Load) => readonly Slice<Ask>[];
    readonly asks: () => number;
    /** Queued inputs, in total or of one tenant. */
    readonly load: (tenant?: string) => Load;
    /** Number of tenants with queued inputs. */
    readonly tenants: () => number;
}

export interface Load {
    readonly items: number;
    readonly bytes: number;
}

interface Waiting<Ask> {
    readonly ask: Ask;
    /** Index of the first input that has not been taken. */
    next: number;
}

interface Line<Ask> {
    readonly waiting: Waiting<Ask>[];
    items: number;
    bytes: number;
}

const NOTHING: Load = { items: 0, bytes: 0 };

/** First in, first out per tenant; tenants in turn. */
export function askQueue<Ask extends QueuedAsk>(): AskQueue<Ask> {
    const lines = new Map<string, Line<Ask>>();
    const all = { asks: 0, items: 0, bytes: 0 };

    function count(line: Line<Ask>, slice: Slice<Ask>, sign: 1 | -1): void {
        const { items, bytes } = loadOf(slice);
        for (const load of [line, all]) {
            load.items += sign * items;
            load.bytes += sign * bytes;
        }
    }

    return {
        add: (ask) => {
            const line = lines.get(ask.tenant) ?? { waiting: [], items: 0, bytes: 0 };
            lines.set(ask.tenant, line);
            line.waiting.push({ ask, next: 0 });
            count(line, { ask, from: 0, to: ask.inputs.length }, 1);
            all.asks += 1;
        },
        remove: (ask) => {
            const line = lines.get(ask.tenant);
            const at = line?.waiting.findIndex((one) => one.ask === ask) ?? -1;
            const removed = line?.waiting[at];
            if (!line || !removed) return;
            line.waiting.splice(at, 1);
            count(line, { ask, from: removed.next, to: ask.inputs.length }, -1);
            all.asks -= 1;
            if (line.waiting.length === 0) lines.delete(ask.tenant);
        },
        take: (size) => {
            const taken: Slice<Ask>[] = [];
            const room = { ...size };
            let blocked = 0;
            while (lines.size > blocked) {
                const [turn] = lines;
                if (!turn) break;
                const [tenant, line] = turn;
                lines.delete(tenant);
                const [first] = line.waiting;
                const slice = first && fit(first, taken[0]?.ask, room);
                if (slice) {
                    taken.push(slice);
                    count(line, slice, -1);
                    const { items, bytes } = loadOf(slice);
                    room.items -= items;
                    room.bytes -= bytes;
                    first.next = slice.to;
                    if (slice.to === slice.ask.inputs.length) {
                        line.waiting.shift();
                        all.asks -= 1;
                    }
                    blocked = 0;
                } else blocked += 1;
                // Moves the tenant to the end of the round, or out of it if its queue is empty.
                if (line.waiting.length > 0) lines.set(tenant, line);
            }
            return taken;
        },
        asks: () => all.asks,
        load: (tenant) => (tenant === undefined ? all : (lines.get(tenant) ?? NOTHING)),
        tenants: () => lines.size,
    };
}

function fit<Ask extends QueuedAsk>(
    { ask, next }: Waiting<Ask>,
    joined: Ask | undefined,
    room: Load,
): Slice<Ask> | undefined {
    if (joined && joined.group !== ask.group) return undefined;
    const { inputs } = ask;
    let { items, bytes } = room;
    let to = next;
    for (; to < inputs.length; to += 1) {
        items -= 1;
        bytes -= sizeOf(inputs[to]);
        if (items < 0 || bytes < 0) break;
    }
    if (to === inputs.length) return { ask, from: next, to };
    // The first input of a call always fits.
    return joined ? undefined : { ask, from: next, to: Math.max(to, next + 1) };
}

export function loadOf<Ask extends QueuedAsk>({ ask, from, to }: Slice<Ask>): Load {
    let bytes = 0;
    for (let at = from; at < to; at += 1) bytes += sizeOf(ask.inputs[at]);
    return { items: to - from, bytes };
}

export function sizeOf(input: Input | undefined): number {
    if (!input) return 0;
    return input.kind === "text" ? input.text.length : input.ids.length * 4;
}
