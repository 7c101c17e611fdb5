import { collectDefaultMetrics, Registry } from "prom-client";

/** With what every Node process has: memory, garbage collection, event-loop lag (`nodejs_…`, `process_…`). */
export function openRegistry(): Registry {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    return registry;
}
