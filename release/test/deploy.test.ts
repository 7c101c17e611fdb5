import { describe, expect, test } from "@jest/globals";
import { isServing, type Running } from "../src/commands/deploy.ts";

const running = (image: string, version: string): Running => {
    const pods = { image, version, wanted: 3, ready: 3, rolledOut: true };
    const old = { ...pods, image: "service@sha256:old", version: "v1.0.0" };
    return { idle: "green", pods: { blue: pods, green: old } };
};
const given = { image: "service@sha256:new", version: "v2.0.0" };

describe("a deploy of an image", () => {
    test("that the colour with the traffic runs already is no release", () => {
        expect(isServing(given, running("service@sha256:new", "v2.0.0"))).toBe(true);
    });

    test.each([
        ["another image", running("service@sha256:old", "v2.0.0"), given],
        ["another version", running("service@sha256:new", "v1.0.0"), given],
        [
            "what only the idle colour runs",
            running("service@sha256:x", "v3"),
            { image: "service@sha256:old", version: "v1.0.0" },
        ],
        [
            "nothing",
            running("service@sha256:new", "v2.0.0"),
            { image: undefined, version: undefined },
        ],
    ])("of %s is one, or is none of its own", (_, state, options) => {
        expect(isServing(options, state)).toBe(false);
    });
});
