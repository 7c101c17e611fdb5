import type { Finding } from "../../engine/rule.ts";
import type { Reference } from "../../kubernetes/routes.ts";

/** Maximum weight of the Gateway API. */
const MAX_WEIGHT = 1_000_000;

/**
 * Reports problems of the backend weights of one rule.
 *
 * @param at path of the list of backends
 * @param sum required sum of several weights; 0: any
 */
export function* checkWeights(
    path: string,
    backends: readonly Reference[],
    sum: number,
): Generator<Finding> {
    const weights = backends.map(({ ref }) => ref.weight);
    const wrong = [...weights.entries()].filter(([, weight]) => !isWeight(weight));
    for (const [index, weight] of wrong) {
        const message = `has a weight of ${JSON.stringify(weight)}; allowed: an integer from 0 to ${MAX_WEIGHT}`;
        const fix = { weight: Math.round(Number(weight)) || 0 };
        yield { message, path: `${path}[${index}].weight`, fix };
    }
    if (wrong.length > 0 || weights.length === 0) return;
    const several = weights.length > 1;
    const given = weights.filter((weight) => weight !== undefined).map(Number);
    const total = given.reduce((all, weight) => all + weight, weights.length - given.length);
    if (several && (sum > 0 || given.length > 0) && given.length < weights.length) {
        const message = `has a backend without a weight, which counts as 1 of ${total}`;
        yield {
            message,
            path: `${path}[${weights.indexOf(undefined)}].weight`,
            fix: { weight: 0 },
        };
    } else if (total === 0) {
        const message = "sends no requests: all weights are 0";
        yield { message, path, fix: { weight: sum > 0 ? sum : 1 } };
    } else if (several && sum > 0 && total !== sum) {
        const message = `has weights with a sum of ${total} (${given.join(" + ")}); allowed: ${sum}`;
        yield {
            message,
            path,
            fix: { backendRefs: scaleWeights(given, sum).map((weight) => ({ weight })) },
        };
    }
}

function isWeight(weight: unknown): boolean {
    if (weight === undefined) return true;
    return Number.isInteger(weight) && Number(weight) >= 0 && Number(weight) <= MAX_WEIGHT;
}

/** Scales weights to another sum; the last one takes the rounding error. */
function scaleWeights(weights: readonly number[], sum: number): number[] {
    const total = weights.reduce((all, weight) => all + weight, 0);
    const shares = weights.slice(0, -1).map((weight) => Math.round((weight * sum) / total));
    return [...shares, shares.reduce((left, share) => left - share, sum)];
}
