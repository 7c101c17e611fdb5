import { collectDefaultMetrics, Registry } from "prom-client";

/**
 * With the default metrics of Node: memory, garbage collection and event-loop lag (`nodejs_…`, `process_…`).
 */
export function createRegistry(): Registry {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    return registry;
}
