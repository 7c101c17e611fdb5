import {
    COLOURS,
    isColour,
    invalidValue,
    otherColour,
    perColour,
    suggestNearest,
    type Colour,
} from "@property-search/contract";
import { floorFor, readPods } from "../capacity/capacity.ts";
import { ReleaseError } from "../error.ts";
import { begin } from "../machine/begin.ts";
import type { Ports } from "../machine/ports.ts";
import type { Plan } from "../plan.ts";
import { hasEnded, type Switch } from "../state.ts";
import type { Context } from "./context.ts";
import { run, acquire } from "./run.ts";

export interface StartOptions {
    readonly to: Colour;
    readonly plan: Plan;
    readonly reason: string;
    readonly force: boolean;
    readonly kind?: Switch["kind"];
}

/** @throws UserError for anything but a colour */
export function readColour(text: string): Colour {
    if (isColour(text)) return text;
    throw invalidValue("TO", text, COLOURS.join(", "), suggestNearest(text, COLOURS));
}

/**
 * Shifts the traffic to a colour, or resumes a switch to it whose driver has exited.
 *
 * @returns the switch after it has ended
 */
export async function start(context: Context, options: StartOptions): Promise<Switch> {
    const { store, report, clock, actor } = context;
    const { to, plan, reason, force, kind = "release" } = options;
    const before = (await store.read()).state;
    assertNoOtherSwitch(before, to);
    const ports = await context.createPorts(force);
    const lease = await acquire(context);
    try {
        const kept = await store.read();
        const { state } = kept;
        assertNoOtherSwitch(state, to);
        const hasEndedMeanwhile = state?.id === before?.id && before && !hasEnded(before);
        if (state && hasEnded(state) && hasEndedMeanwhile) report(`switch ${state.id} has ended`);
        else if (state && !hasEnded(state)) report(`resuming switch ${state.id} at ${state.phase}`);
        else {
            const versions = await readVersions(ports);
            const now = clock.now();
            const next = begin({ kind, to, plan, versions, actor, reason, now, lease });
            await store.write(next, kept);
            report(
                `switch ${next.id}: ${next.from} → ${to} (${versions[to]}) in steps of ${plan.steps.join(", ")} %`,
            );
        }
    } catch (error) {
        await lease.release();
        throw error;
    }
    return run(context, ports, lease);
}

/** Reports the plan of a switch and whether the cluster has capacity for it. Writes nothing. */
export async function dryRun(
    { createPorts, report }: Context,
    { to, plan, force }: StartOptions,
): Promise<void> {
    const { capacity, traffic } = await createPorts(force);
    const from = otherColour(to);
    const [weights, active, candidate, bounds] = await Promise.all([
        traffic.read(),
        capacity.pods(from),
        capacity.pods(to),
        capacity.bounds(to),
    ]);
    report(`now: blue ${weights.blue} %, green ${weights.green} %, by ${traffic.kind}`);
    for (const weight of plan.steps) {
        const floor = floorFor(weight, active.ready, bounds);
        const more = Math.max(0, floor - candidate.ready);
        report(
            `${`${weight} %`.padEnd(6)}${to} needs ${floor} pods (${more} more), ` +
                (weight === 100
                    ? `then ${plan.bakeSeconds} s of analysis`
                    : `for at least ${plan.minStepSeconds} s`),
        );
    }
    if (bounds.limit < active.ready) {
        throw new ReleaseError(
            `${to} may have ${bounds.limit} pods at most, and ${from} serves with ${active.ready}`,
        );
    }
}

async function readVersions({ capacity }: Ports) {
    const pods = await readPods(capacity);
    return perColour((colour) => pods[colour].version);
}

function assertNoOtherSwitch(state: Switch | undefined, to: Colour): void {
    if (!state || hasEnded(state) || state.to === to) return;
    throw new ReleaseError(
        `a switch to ${state.to} is in progress (${state.phase}, started by ${state.actor}): ` +
            "end it first with promote or rollback",
    );
}
