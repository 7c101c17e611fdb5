import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { IMAGES, findImage, NOT_IN_CONTEXT } from "../../src/images/catalogue.ts";
import { OFFICIAL_IMAGES } from "../../src/kind/images.ts";
import { KEDA_MODULE } from "../../src/toolchain/keda.ts";
import { COMPLETING, SERVING } from "../../src/toolchain/programs.ts";
import { REPOSITORY } from "../../src/paths.ts";

const read = (file: string) => readFileSync(path.join(REPOSITORY, file), "utf8");

test("every image has a name of its own and a version", () => {
    const names = IMAGES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(IMAGES.filter(({ versions }) => versions.length === 0)).toEqual([]);
});

test("an unknown image is rejected by its name", () => {
    expect(() => findImage("memcached")).toThrow('there is no image "memcached"');
});

describe("versions that stand twice are the same", () => {
    test("the local stack's Redis and the one of dev and prod, by their major version", () => {
        const official = /\bredis:(\d+)\./.exec(read("Pulumi.yaml"));
        expect(findImage("redis").versions).toEqual([`v${official?.[1] ?? "missing"}`]);
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
        ["coredns", "github.com/coredns/coredns"],
        ["kube-state-metrics", "k8s.io/kube-state-metrics/v2"],
        ["keda", KEDA_MODULE],
        ["keda-adapter", KEDA_MODULE],
        ["metrics-server", "sigs.k8s.io/metrics-server"],
    ])("the image %s and the module that it is built from", (name, module) => {
        const [version = "missing"] = findImage(name).versions;
        expect(read("local/toolchain/cluster/go.mod")).toContain(`${module} ${version}\n`);
    });

    test("KEDA's version is the one that its binary reports", () => {
        const version = COMPLETING.variables?.[`${KEDA_MODULE}/version.Version`] ?? "missing";
        expect(findImage("keda").versions).toEqual([`v${version}`]);
    });

    test("Kubernetes' and the one minor of all its modules", () => {
        const version =
            SERVING.variables?.["k8s.io/component-base/version.gitVersion"] ?? "missing";
        const modFile = read("local/toolchain/cluster/go.mod");
        expect(modFile).toContain(`k8s.io/kubernetes ${version}\n`);
        const staged = [...modFile.matchAll(/^\tk8s\.io\/(\S+) => \S+ v0\.(\S+)$/gm)]
            .filter(([, name]) => name !== "kube-openapi")
            .map(([, , version]) => `v1.${version ?? ""}`);
        expect(staged.length).toBeGreaterThan(25);
        expect(new Set(staged)).toEqual(new Set([version]));
        expect(read("local/src/node/configuration.ts")).toContain(
            `kubernetesVersion: "${version}"`,
        );
    });
});

test("what does not count for the images of workspaces is what .dockerignore keeps out of it", () => {
    const kept = ["app", "insights", "examples/property-search", "contract"].flatMap((room) =>
        NOT_IN_CONTEXT.map((name) => `${room}/${name}`),
    );
    const ignored = read(".dockerignore").split("\n");
    expect(kept.filter((folder) => !ignored.includes(folder))).toEqual([]);
});
