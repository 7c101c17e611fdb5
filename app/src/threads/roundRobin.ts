/** A request, as the unit of fairness among those of one tenant. */
export interface Call {
    readonly tenant: string;
}

/** Queue that serves tenants in turn, and the calls of a tenant in turn, regardless of their size. */
export interface RoundRobinQueue<Run> {
    readonly add: (call: Call, run: Run) => void;
    /** Adds a run before the other runs of its call. */
    readonly addFirst: (call: Call, run: Run) => void;
    readonly next: () => Run | undefined;
    /** @returns all queued runs, and empties the queue */
    readonly clear: () => readonly Run[];
}

export function createRoundRobinQueue<Run>(): RoundRobinQueue<Run> {
    const tenants = new Map<string, Map<Call, Run[]>>();

    function runsOf(call: Call): Run[] {
        const calls = tenants.get(call.tenant) ?? new Map<Call, Run[]>();
        tenants.set(call.tenant, calls);
        const runs = calls.get(call) ?? [];
        calls.set(call, runs);
        return runs;
    }

    return {
        add: (call, run) => void runsOf(call).push(run),
        addFirst: (call, run) => void runsOf(call).unshift(run),
        next: () => {
            const calls = rotate(tenants);
            const runs = calls && rotate(calls[1]);
            const run = runs?.[1].shift();
            if (runs?.[1].length === 0) calls?.[1].delete(runs[0]);
            if (calls?.[1].size === 0) tenants.delete(calls[0]);
            return run;
        },
        clear: () => {
            const all = [...tenants.values()].flatMap((calls) => [...calls.values()].flat());
            tenants.clear();
            return all;
        },
    };
}

/**
 * Moves the first entry to the end.
 *
 * @returns that entry
 */
function rotate<K, V>(map: Map<K, V>): [K, V] | undefined {
    const [first] = map;
    if (!first) return undefined;
    map.delete(first[0]);
    map.set(...first);
    return first;
}
