import type { Colour, PerColour } from "@property-search/contract";
import type { Roles } from "./comparisons.ts";
import type { Limits, MemoryLimits } from "./limits.ts";
import type { ColourSample, Memory } from "./observation.ts";
import { percent } from "./text.ts";

/** @returns exceeded limits of the candidate's pods that need no statistics */
export function podFailures(
    colours: PerColour<ColourSample>,
    { candidate, active }: Roles,
    limits: Limits,
): readonly string[] {
    const own = colours[candidate];
    const other = colours[active];
    const failures: string[] = [];
    if (own.restarts !== undefined && own.restarts > limits.restarts) {
        failures.push(
            `restarts: ${candidate} ${own.restarts}, ${active} ${other.restarts ?? "unknown"}; ` +
                `allowed: ${limits.restarts}`,
        );
    }
    if (own.pods !== undefined && own.pods.lost > 0) {
        failures.push(
            `pods: ${candidate} ${readyText(own)}, ${active} ${readyText(other)}, for at least a minute; ` +
                `allowed: none that was ready may be lost (${own.pods.lost})`,
        );
    }
    if (own.memory)
        failures.push(
            ...memoryFailures(own.memory, other.memory, candidate, active, limits.memory),
        );
    return failures;
}

/** Both colours fill up under a growing load; only growth that the active lacks counts against the candidate. */
function memoryFailures(
    own: Memory,
    other: Memory | undefined,
    candidate: Colour,
    active: Colour,
    limits: MemoryLimits,
): readonly string[] {
    const { share, horizonSeconds } = limits;
    if (own.share > share) {
        return [
            `memory: ${candidate}'s fullest pod ${percent(own.share)} of its limit, ` +
                `${active}'s ${other ? percent(other.share) : "unknown"}; allowed: ${percent(share)}`,
        ];
    }
    if (!isFillingUp(own, limits) || (other && isFillingUp(other, limits))) return [];
    return [
        `memory: ${candidate} ${paceText(own)}, ${active} ${paceText(other)}; ` +
            `allowed: not full within ${horizonSeconds} s`,
    ];
}

function isFillingUp({ growth }: Memory, { horizonSeconds, minGrowth }: MemoryLimits): boolean {
    return (
        growth !== undefined && growth.gained >= minGrowth && growth.secondsToLimit < horizonSeconds
    );
}

function paceText(memory: Memory | undefined): string {
    if (!memory) return "unknown";
    const { share, growth } = memory;
    if (!growth) return `at ${percent(share)} of its limit and not growing`;
    return `at ${percent(share)} of its limit and full in ${Math.round(growth.secondsToLimit)} s`;
}

function readyText({ pods }: ColourSample): string {
    return pods ? `${pods.ready} of ${pods.desired} ready` : "unknown";
}
