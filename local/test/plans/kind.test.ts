import { expect, test } from "@jest/globals";
import { OFFICIAL_IMAGES } from "../../src/kind/images.ts";
import { splitImages, completeConfig, minimalConfig } from "../../src/plans/kind.ts";

const references = ["v1.0.0", "v2.0.0-enhanced"].map(
    (tag) => `localhost/embedding-service:${tag}-a`,
);
const images = [
    ...OFFICIAL_IMAGES,
    { name: "embedding-service", references },
    ...["insights", "property-search"].map((name) => ({
        name,
        references: [`localhost/${name}:v1.0.0-a`],
    })),
];

const imagesIn = (config: Record<string, string>) =>
    Object.entries(config).flatMap(([key, value]) => (/image$/i.test(key) ? [value] : []));

test("what serves waits for its own images only", () => {
    const phases = splitImages(images);
    const serving = phases.serving.flatMap((image) => image.references);
    const watching = phases.watching.flatMap((image) => image.references);
    const traefik = images.find(({ name }) => name === "traefik")?.references ?? [];
    const wanted = new Set([...imagesIn(minimalConfig({ images, port: 8080 })), ...traefik]);
    expect(serving.sort()).toEqual([...wanted].sort());
    const whole = imagesIn(completeConfig({ images, port: 8080 }));
    expect([...serving, ...watching]).toEqual(expect.arrayContaining(whole));
});
