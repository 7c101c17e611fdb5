import { expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { AREAS } from "../src/data/areas.ts";
import { generateDataset } from "../src/data/generate.ts";
import { distanceMetres } from "../src/ranking.ts";

const { listings, pois } = generateDataset();

test("there are enough of both, each with an ID of its own, near the centre of its area", () => {
    expect(listings.length).toBeGreaterThanOrEqual(300);
    expect(pois.length).toBeGreaterThanOrEqual(400);
    const all = [...listings, ...pois];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const centres = new Map(AREAS.map((area) => [area.name, area]));
    for (const one of all) {
        const centre = centres.get(one.area);
        expect(centre && distanceMetres(centre, one)).toBeLessThanOrEqual(905);
    }
});

test("prices and sizes are plausible, and grow with the bedrooms", () => {
    for (const { pricePounds, floorAreaSquareMetres } of listings) {
        expect(pricePounds / floorAreaSquareMetres).toBeGreaterThan(4_500);
        expect(pricePounds / floorAreaSquareMetres).toBeLessThan(26_000);
    }
    const mean = (bedrooms: number) => {
        const prices = listings.filter((one) => one.bedrooms === bedrooms);
        return prices.reduce((sum, one) => sum + one.pricePounds, 0) / prices.length;
    };
    expect(mean(0)).toBeLessThan(mean(2));
    expect(mean(2)).toBeLessThan(mean(4));
});

test("they are the same everywhere: cached vectors stay valid", () => {
    const digest = createHash("sha256").update(JSON.stringify({ listings, pois })).digest("hex");
    expect(digest.slice(0, 16)).toBe("4f59571bb64f72a1");
});
