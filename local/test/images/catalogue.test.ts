import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { IMAGES, imageNamed, NOT_IN_CONTEXT } from "../../src/images/catalogue.ts";
import { OFFICIAL_IMAGES } from "../../src/kind/images.ts";
import { KEDA, KEDA_MODULE } from "../../src/toolchain/go.ts";
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

    test.each(["redis", "prometheus", "alertmanager", "redis-exporter", "kube-state-metrics"])(
        "kind's %s and the one of dev and prod",
        (name) => {
            const official = OFFICIAL_IMAGES.find((image) => image.name === name);
            const [reference = "missing"] = official?.references ?? [];
            expect(read("Pulumi.yaml")).toContain(
                `default: ${reference.replace(/^docker\.io\/(library\/)?/, "")}\n`,
            );
        },
    );

    test.each([
        ["kube-state-metrics", "kube-state-metrics", "k8s.io/kube-state-metrics/v2"],
        ["keda", "keda", KEDA_MODULE],
        ["keda-adapter", "keda", KEDA_MODULE],
        ["metrics-server", "metrics-server", "sigs.k8s.io/metrics-server"],
    ])("the image %s and the module that it is built from", (name, folder, module) => {
        const [version = "missing"] = imageNamed(name).versions;
        expect(read(`local/toolchain/${folder}/go.mod`)).toContain(`${module} ${version}\n`);
    });

    test("KEDA's and what it says of itself", () => {
        const said = Object.values(KEDA.variables ?? {});
        expect(imageNamed("keda").versions).toEqual(said.map((version) => `v${version}`));
    });
});

test("what does not count for the service's image is what .dockerignore keeps out of it", () => {
    const kept = ["app", "contract"].flatMap((room) =>
        NOT_IN_CONTEXT.map((name) => `${room}/${name}`),
    );
    const ignored = read(".dockerignore").split("\n");
    expect(kept.filter((folder) => !ignored.includes(folder))).toEqual([]);
});
