import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Cluster } from "@property-search/operations/cluster/connect.ts";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { requireImages } from "../../src/plans/context.ts";

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

/** A cluster whose newest deploy was given this config. */
function clusterGiven(config: Readonly<Record<string, string>>): Cluster {
    const encoded = Buffer.from(JSON.stringify(config)).toString("base64");
    const objects = { read: () => Promise.resolve({ data: { config: encoded } }) };
    return { context: "c", objects } as unknown as Cluster;
}

const ask = (given: Readonly<Record<string, string>>, config: string) => {
    const file = path.join(folder, "Pulumi.x.yaml");
    writeFileSync(file, `config:\n${config}`);
    return requireImages(clusterGiven(given), "x", file);
};

const OURS = "    property-search:blue.image: registry.example.com/service:v1\n";

describe("make up CONTEXT=", () => {
    test("lists all missing images before any change", async () => {
        await expect(
            ask({}, "    property-search:green.image: property-search/service:v2\n"),
        ).rejects.toThrow(
            /no image to run on c:\n {2}- property-search:blue\.image of Pulumi\.x\.yaml is not set; .*\n {2}- property-search:green\.image of Pulumi\.x\.yaml is "property-search\/service:v2"; allowed: an image with its registry/,
        );
    });

    test.each(["insights", "example"])("lists that of %s, where the stack has it", async (part) => {
        const both = `${OURS}    property-search:green.image: registry.example.com/service:v2\n`;
        const enabled = `    property-search:${part}.enabled: true\n`;
        await expect(ask({}, both + enabled)).rejects.toThrow(`${part}.image`);
        await ask({ [`${part}.enabled`]: "false" }, both + enabled);
        await ask({ [`${part}.image`]: "registry.example.com/part:v1" }, both + enabled);
    });

    test("takes an image of the deploy before, and one of the stack's file with its registry", async () => {
        await ask({ "green.image": "localhost/service:v2" }, OURS);
        await ask({}, `${OURS}    green.image: host:5000/service@sha256:0\n`);
        await expect(ask({}, OURS)).rejects.toThrow("green.image");
    });
});
