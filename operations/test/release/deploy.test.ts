import { describe, expect, test } from "@jest/globals";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { RenderError } from "../../stack/render.ts";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
    isServing,
    partImages,
    restoreIfRejected,
    type Running,
} from "../../release/commands/deploy.ts";

const running = (image: string, version: string): Running => {
    const pods = { image, version, desired: 3, ready: 3, isRolledOut: true };
    const old = { ...pods, image: "service@sha256:old", version: "v1.0.0" };
    return { idle: "green", pods: { blue: pods, green: old } };
};
const given = { image: "service@sha256:new", version: "v2.0.0" };

describe("a deploy of an image", () => {
    test("that the active colour already runs is no release", () => {
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
        ["nothing", running("service@sha256:new", "v2.0.0"), undefined],
    ])("of %s is one, or is none of its own", (_, state, newVersion) => {
        expect(isServing(newVersion, state)).toBe(false);
    });
});

test("the image of the example is written where the stack has one, that of insights always", async () => {
    const folder = makeTemporaryFolder();
    const file = path.join(folder, "Pulumi.dev.yaml");
    const images = { insightsImage: "insights@sha256:1", exampleImage: "search@sha256:2" };
    writeFileSync(file, "config:\n    property-search:example.enabled: true\n");
    expect(await partImages(file, images)).toEqual({
        "insights.image": "insights@sha256:1",
        "example.image": "search@sha256:2",
    });
    expect(await partImages(file, {})).toEqual({});
    writeFileSync(file, "config:\n    property-search:blue.image: a\n");
    expect(await partImages(file, images)).toEqual({ "insights.image": "insights@sha256:1" });
});

test.each([
    ["the program rejects comes back as it was", new RenderError("blue.image is wrong"), "old"],
    ["fails otherwise stays, for the next deploy", new Error("no connection"), "new"],
])("a version whose deploy %s", async (_, error, image) => {
    const folder = makeTemporaryFolder();
    const file = path.join(folder, "Pulumi.dev.yaml");
    writeFileSync(file, "config:\n    property-search:blue.image: new\n");
    const replaced = { "blue.image": "old", "blue.version": undefined };
    await expect(restoreIfRejected(file, replaced, () => Promise.reject(error))).rejects.toBe(
        error,
    );
    expect(readFileSync(file, "utf8")).toBe(`config:\n    property-search:blue.image: ${image}\n`);
});
