import { COLOURS, perColour, type PerColour } from "./colours.ts";

/** Share of the traffic in percent per colour: whole numbers, both present, together 100. */
export type Weights = PerColour<number>;

/** What is wrong with a proposed pair of weights, or the weights. */
export type WeightsCheck = { weights: Weights } | { findings: readonly string[] };

/**
 * The weight rule, the only one: two whole numbers named blue and green that sum to 100.
 * A Gateway takes a weight as a share of the sum, and gives 1 to a colour without one, so a rule that
 * let other sums through would move traffic that nobody asked to move.
 */
export function checkWeights(value: unknown): WeightsCheck {
    const allowed = "allowed: whole numbers from 0 to 100 for blue and green that sum to 100";
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        const found = value === undefined ? "is not set" : `is ${JSON.stringify(value)}`;
        return { findings: [`${found}; ${allowed}`] };
    }
    const findings = Object.keys(value)
        .filter((key) => !COLOURS.some((colour) => colour === key))
        .map((key) => `has the unknown key ${JSON.stringify(key)}; ${allowed}`);
    const weights = perColour((colour) => {
        const weight: unknown = (value as Record<string, unknown>)[colour];
        if (
            typeof weight === "number" &&
            Number.isInteger(weight) &&
            weight >= 0 &&
            weight <= 100
        ) {
            return weight;
        }
        findings.push(
            `has ${weight === undefined ? `no ${colour}` : `${colour} = ${JSON.stringify(weight)}`}; ${allowed}`,
        );
        return NaN;
    });
    const sum = weights.blue + weights.green;
    if (findings.length === 0 && sum !== 100) {
        findings.push(`sums to ${sum} (${weights.blue} + ${weights.green}); ${allowed}`);
    }
    return findings.length > 0 ? { findings } : { weights };
}
