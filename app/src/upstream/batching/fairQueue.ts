import { inputBytes, type InputSize } from "../inputSize.ts";
import { measureSlice, type QueuedCall, type Slice } from "./slices.ts";

/** Queue of calls that serves tenants in turn. */
export interface FairQueue<Call extends QueuedCall> {
    readonly add: (call: Call) => void;
    readonly remove: (call: Call) => void;
    /**
     * Takes inputs for one batch from the tenants in turn, so that one tenant's bulk job does not delay the
     * others. Only a call that exceeds a whole batch is split.
     */
    readonly take: (size: InputSize) => readonly Slice<Call>[];
    readonly countCalls: () => number;
    /** Size of the queued inputs, in total or of one tenant. */
    readonly queuedSize: (tenant?: string) => InputSize;
    /** Number of tenants with queued inputs. */
    readonly countTenants: () => number;
}

interface Waiting<Call> {
    readonly call: Call;
    /** Index of the first input that has not been taken. */
    next: number;
}

interface TenantQueue<Call> {
    readonly waiting: Waiting<Call>[];
    items: number;
    bytes: number;
}

const NOTHING: InputSize = { items: 0, bytes: 0 };

/** First in, first out per tenant; tenants in turn. */
export function createFairQueue<Call extends QueuedCall>(): FairQueue<Call> {
    const tenantQueues = new Map<string, TenantQueue<Call>>();
    const all = { calls: 0, items: 0, bytes: 0 };

    function count(tenantQueue: TenantQueue<Call>, slice: Slice<Call>, sign: 1 | -1): void {
        const { items, bytes } = measureSlice(slice);
        for (const size of [tenantQueue, all]) {
            size.items += sign * items;
            size.bytes += sign * bytes;
        }
    }

    return {
        add: (call) => {
            const tenantQueue = tenantQueues.get(call.tenant) ?? {
                waiting: [],
                items: 0,
                bytes: 0,
            };
            tenantQueues.set(call.tenant, tenantQueue);
            tenantQueue.waiting.push({ call, next: 0 });
            count(tenantQueue, { call, from: 0, to: call.inputs.length }, 1);
            all.calls += 1;
        },
        remove: (call) => {
            const tenantQueue = tenantQueues.get(call.tenant);
            const at = tenantQueue?.waiting.findIndex((one) => one.call === call) ?? -1;
            const removed = tenantQueue?.waiting[at];
            if (!tenantQueue || !removed) return;
            tenantQueue.waiting.splice(at, 1);
            count(tenantQueue, { call, from: removed.next, to: call.inputs.length }, -1);
            all.calls -= 1;
            if (tenantQueue.waiting.length === 0) tenantQueues.delete(call.tenant);
        },
        take: (size) => {
            const slices: Slice<Call>[] = [];
            const remaining = { ...size };
            let blocked = 0;
            while (tenantQueues.size > blocked) {
                const [next] = tenantQueues;
                if (!next) break;
                const [tenant, tenantQueue] = next;
                tenantQueues.delete(tenant);
                const [first] = tenantQueue.waiting;
                const slice = first && takeSlice(first, slices[0]?.call, remaining);
                if (slice) {
                    slices.push(slice);
                    count(tenantQueue, slice, -1);
                    const { items, bytes } = measureSlice(slice);
                    remaining.items -= items;
                    remaining.bytes -= bytes;
                    first.next = slice.to;
                    if (slice.to === slice.call.inputs.length) {
                        tenantQueue.waiting.shift();
                        all.calls -= 1;
                    }
                    blocked = 0;
                } else blocked += 1;
                // Moves the tenant to the end of the round, or out of it if its queue is empty.
                if (tenantQueue.waiting.length > 0) tenantQueues.set(tenant, tenantQueue);
            }
            return slices;
        },
        countCalls: () => all.calls,
        queuedSize: (tenant) =>
            tenant === undefined ? all : (tenantQueues.get(tenant) ?? NOTHING),
        countTenants: () => tenantQueues.size,
    };
}

/** @param firstCall the first call of the batch */
function takeSlice<Call extends QueuedCall>(
    { call, next }: Waiting<Call>,
    firstCall: Call | undefined,
    remaining: InputSize,
): Slice<Call> | undefined {
    if (firstCall && firstCall.group !== call.group) return undefined;
    const { inputs } = call;
    let { items, bytes } = remaining;
    let to = next;
    for (; to < inputs.length; to += 1) {
        items -= 1;
        bytes -= inputBytes(inputs[to]);
        if (items < 0 || bytes < 0) break;
    }
    if (to === inputs.length) return { call, from: next, to };
    // The first input of a batch always fits.
    return firstCall ? undefined : { call, from: next, to: Math.max(to, next + 1) };
}
