import { otherColour, type Colour, type PerColour } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import type { Plan } from "../plan.ts";
import type { Switch } from "../state.ts";
import type { Hold } from "../store/lease.ts";

export interface Beginning {
    readonly kind: Switch["kind"];
    readonly to: Colour;
    readonly plan: Plan;
    readonly versions: PerColour<string>;
    readonly actor: string;
    readonly reason: string;
    readonly now: number;
    readonly hold: Pick<Hold, "fence" | "holder">;
}

/** Creates the initial state of a switch. */
export function begin({ kind, to, plan, versions, actor, reason, now, hold }: Beginning): Switch {
    // Sorts by time, and is valid as a ConfigMap key and as a label value.
    const time = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-");
    const words = `${kind} to ${to} (${versions[to]}) started by ${actor}`;
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
        fence: hold.fence,
        holder: hold.holder,
        log: [{ at: now, phase: "preflight", words }],
    };
}
