import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { seededRandom } from "../../../bench/shared/random.ts";
import { createNeighbourIndex } from "../../src/semantic/neighbourIndex.ts";
import { createSignBits } from "../../src/semantic/signBits.ts";
import { normal } from "../support/simulatedTexts.ts";

const signs = (dimensions: number) =>
    fc.array(fc.constantFrom(-1, 1), { minLength: dimensions, maxLength: dimensions });

test("the places with the fewest differing signs are found, whatever was moved before", () => {
    const cases = fc.integer({ min: 1, max: 1_100 }).chain((dimensions) =>
        fc.record({
            all: fc.array(signs(dimensions), { minLength: 1, maxLength: 20 }),
            wanted: signs(dimensions),
            count: fc.integer({ min: 1, max: 25 }),
        }),
    );
    fc.assert(
        fc.property(cases, ({ all, wanted, count }) => {
            const bits = createSignBits(wanted.length);
            all.forEach((signature, place) => {
                bits.set(place + 1, Float32Array.from(signature));
                bits.move(place + 1, place);
            });
            const distances = all.map(
                (one) => one.filter((value, at) => value !== wanted[at]).length,
            );
            const found = bits.nearest(Float32Array.from(wanted), all.length, count);
            const limit = distances.toSorted((a, b) => a - b)[Math.min(count, all.length) - 1];
            const expected = [...distances.keys()].filter(
                (place) => (distances[place] ?? NaN) <= (limit ?? NaN),
            );
            expect([...found]).toEqual(expected);
        }),
        propertyRuns(500),
    );
});

test("a large index finds nearly all of the neighbours that a comparison with each item finds", () => {
    const [items, dimensions, groups] = [6_000, 384, 300];
    const random = seededRandom(1);
    const gaussian = (): Float64Array =>
        Float64Array.from({ length: dimensions }, () => normal(random));
    const unit = (values: Float64Array): Float32Array => {
        const length = Math.hypot(...values);
        return Float32Array.from(values, (value) => value / length);
    };
    const centres = Array.from({ length: groups }, gaussian);
    const sample = (group: number): Float32Array => {
        const noise = gaussian();
        return unit(noise.map((value, at) => value + (centres[group]?.[at] ?? 0)));
    };
    const all = Array.from({ length: items }, (_, at) => sample(at % groups));
    const index = createNeighbourIndex<number>(dimensions, items);
    all.forEach((signature, at) => index.set(String(at), signature, at));
    let [found, first] = [0, 0];
    const queries = 20;
    for (let query = 0; query < queries; query += 1) {
        const wanted = sample(query);
        const cosines = all.map((one) =>
            one.reduce((sum, value, at) => sum + value * (wanted[at] ?? 0), 0),
        );
        const nearest = [...cosines.keys()].sort((a, b) => (cosines[b] ?? 0) - (cosines[a] ?? 0));
        const answer = index.search(wanted, 16).map(({ entry }) => entry);
        found += nearest.slice(0, 16).filter((place) => answer.includes(place)).length;
        first += answer[0] === nearest[0] ? 1 : 0;
    }
    expect(first).toBe(queries);
    expect(found / (16 * queries)).toBeGreaterThan(0.95);
});
