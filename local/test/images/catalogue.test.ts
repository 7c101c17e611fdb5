import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { IMAGES, imageNamed, NOT_IN_CONTEXT } from "../../src/images/catalogue.ts";
import { NODE_VERSION } from "../../src/images/nodeRuntime.ts";
import { REPOSITORY } from "../../src/paths.ts";

const read = (file: string) => readFileSync(path.join(REPOSITORY, file), "utf8");

test("every image has a name of its own and a version", () => {
    const names = IMAGES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(IMAGES.filter(({ versions }) => versions.length === 0)).toEqual([]);
});

test("an image that nobody knows is refused by its name", () => {
    expect(() => imageNamed("memcached")).toThrow('there is no image "memcached"');
});

describe("versions that stand twice are the same", () => {
    test("Node of the image and of the Makefile", () => {
        expect(read("Makefile")).toContain(`NODE_VERSION := ${NODE_VERSION}\n`);
    });

    test("the local stack's Redis and the one of dev and prod, by their major version", () => {
        const official = /\bredis:(\d+)\./.exec(read("Pulumi.yaml"));
        expect(imageNamed("redis").versions).toEqual([`v${official?.[1] ?? "missing"}`]);
    });
});

test("what does not count for the service's image is what .dockerignore keeps out of it", () => {
    const kept = ["app", "contract"].flatMap((room) =>
        NOT_IN_CONTEXT.map((name) => `${room}/${name}`),
    );
    const ignored = read(".dockerignore").split("\n");
    expect(kept.filter((folder) => !ignored.includes(folder))).toEqual([]);
});
