import { describe, expect, test } from "@jest/globals";
import { generateDataset, type Poi } from "../src/data/generate.ts";
import { distanceMetres, rankPois } from "../src/ranking.ts";

const TRAFALGAR_SQUARE = { latitude: 51.508039, longitude: -0.128069 };
const TOWER_BRIDGE = { latitude: 51.505456, longitude: -0.075356 };

test("distances are those of the earth's surface", () => {
    // 3.66 km by the haversine formula on a sphere of the mean radius.
    expect(distanceMetres(TRAFALGAR_SQUARE, TOWER_BRIDGE)).toBeCloseTo(3_660, -1.3);
    expect(distanceMetres(TOWER_BRIDGE, TOWER_BRIDGE)).toBe(0);
});

describe("rankPois", () => {
    const [first] = generateDataset().pois as [Poi];
    /** @param north metres from the listing */
    const poi = (id: string, north: number, vector: readonly number[]) => ({
        item: {
            ...first,
            id,
            latitude: TOWER_BRIDGE.latitude + north / 111_195,
            longitude: TOWER_BRIDGE.longitude,
        },
        vector: Float32Array.from(vector),
    });
    const query = Float32Array.from([1, 0]);
    const all = [
        poi("near and other", 0, [0, 1]),
        poi("far and alike", 800, [1, 0]),
        poi("near and alike", 100, [0.8, 0.6]),
        poi("outside", 1_100, [1, 0]),
    ];

    test("scores meaning and distance by the documented formula, within the radius", () => {
        const ranked = rankPois(all, TOWER_BRIDGE, query, { radiusMetres: 1_000, limit: 10 });
        expect(ranked.map((one) => [one.poi.id, one.score])).toEqual([
            ["far and alike", expect.closeTo(0.85 + 0.15 * 0.2, 2)],
            ["near and alike", expect.closeTo(0.85 * 0.8 + 0.15 * 0.9, 2)],
            ["near and other", expect.closeTo(0.15, 2)],
        ]);
    });

    test("is limited, and may be empty", () => {
        const options = { radiusMetres: 1_000, limit: 1 };
        expect(rankPois(all, TOWER_BRIDGE, query, options)).toHaveLength(1);
        expect(rankPois([], TOWER_BRIDGE, query, options)).toEqual([]);
    });
});
