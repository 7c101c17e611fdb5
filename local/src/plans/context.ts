import { steps } from "../tasks.ts";
import { deploying } from "./deploying.ts";
import type { Made, Plan } from "./plan.ts";

/** On a cluster that somebody else runs: nothing is installed on it but the stack. */
export function planForContext(context: string, stack: string, signal: AbortSignal): Plan<Made> {
    return {
        made: {},
        serving: deploying(steps<Made>(signal), { stack, context }, () => ({})),
        completing: [],
        look: () => [`kubectl --context ${context} get pods -A`],
        end: `make undeploy STACK=${stack} CONTEXT=${context}`,
    };
}
