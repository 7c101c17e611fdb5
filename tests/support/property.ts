/** Share of a property's full number of runs; PROPERTY_SCALE sets it for all of them, `make test-all` to 1. */
const GATE_SCALE = 0.1;
const FEWEST_RUNS = 20;

/**
 * Parameters of every `fc.assert`: the number of runs at this run's scale, and the seed that all property
 * tests of this run share (PROPERTY_SEED; printed at the end of a run).
 *
 * @param fullRuns runs at scale 1.
 * @throws when PROPERTY_SCALE or PROPERTY_SEED is no such number.
 */
export function propertyRuns(fullRuns = 1000): { numRuns: number; seed: number } {
    const scale = readNumber("PROPERTY_SCALE", GATE_SCALE, 0.001, 1000);
    const seed = readNumber("PROPERTY_SEED", 0, -(2 ** 31), 2 ** 31 - 1);
    return { numRuns: Math.max(FEWEST_RUNS, Math.round(fullRuns * scale)), seed };
}

function readNumber(name: string, whenUnset: number, least: number, most: number): number {
    const text = process.env[name];
    if (text === undefined || text === "") return whenUnset;
    const value = Number(text);
    if (value >= least && value <= most) return value;
    throw new Error(`${name} is "${text}"; allowed: ${String(least)} to ${String(most)}`);
}
