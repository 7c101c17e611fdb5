import { COLOURS, perColour, type PerColour } from "./colours.ts";

/** Percentage of the traffic per colour: integers that sum to 100. */
export type Weights = PerColour<number>;

/** Valid weights, or the errors of a proposed pair. */
export type WeightsCheck = { weights: Weights } | { errors: readonly string[] };

/**
 * Checks that the weights are integers named blue and green that sum to 100. A Gateway normalises weights by
 * their sum and defaults a missing one to 1, so any other sum would shift traffic unintentionally.
 */
export function checkWeights(value: unknown): WeightsCheck {
    const allowed = "allowed: whole numbers from 0 to 100 for blue and green that sum to 100";
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        const actual = value === undefined ? "is not set" : `is ${JSON.stringify(value)}`;
        return { errors: [`${actual}; ${allowed}`] };
    }
    const errors = Object.keys(value)
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
        errors.push(
            `has ${weight === undefined ? `no ${colour}` : `${colour} = ${JSON.stringify(weight)}`}; ${allowed}`,
        );
        return NaN;
    });
    const sum = weights.blue + weights.green;
    if (errors.length === 0 && sum !== 100) {
        errors.push(`sums to ${sum} (${weights.blue} + ${weights.green}); ${allowed}`);
    }
    return errors.length > 0 ? { errors } : { weights };
}
