import { otherColour, type Colour, type PerColour } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import type { Plan } from "../plan.ts";
import type { Switch } from "../state.ts";
import type { LeaseHandle } from "../store/lease.ts";

export interface BeginOptions {
    readonly kind: Switch["kind"];
    readonly to: Colour;
    readonly plan: Plan;
    readonly versions: PerColour<string>;
    readonly actor: string;
    readonly reason: string;
    readonly now: number;
    readonly lease: Pick<LeaseHandle, "fence" | "holder">;
}

/** Creates the initial state of a switch. */
export function begin({
    kind,
    to,
    plan,
    versions,
    actor,
    reason,
    now,
    lease,
}: BeginOptions): Switch {
    // Sorts by time, and is valid as a ConfigMap key and as a label value.
    const time = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-");
    const message = `${kind} to ${to} (${versions[to]}) started by ${actor}`;
    return {
        id: `${time}-${randomUUID().slice(0, 4)}`,
        kind,
        from: otherColour(to),
        to,
        versions,
        plan,
        actor,
        reason,
        startedAt: now,
        phase: "preflight",
        phaseSince: now,
        step: 0,
        steps: [],
        fence: lease.fence,
        holder: lease.holder,
        log: [{ at: now, phase: "preflight", message }],
    };
}
