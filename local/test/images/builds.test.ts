import { beforeEach, describe, expect, test } from "@jest/globals";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { binaryBuild, createConfig } from "../../src/images/binary.ts";
import { IMAGES } from "../../src/images/catalogue.ts";
import { createDockerfile, entrypointLines } from "../../src/images/debian.ts";
import { isVersionOf, removeOlder, removeUnused } from "../../src/images/older.ts";
import { isRefreshRequested } from "../../src/images/refresh.ts";

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

describe("an image of a binary", () => {
    const keyOf = (binary: string, source: string) => binaryBuild(binary, source).key;

    test("is another one for another binary, and the same one wherever that lies", () => {
        expect(keyOf("pause", "/one/pause-aaaaaaaaaaaa")).not.toBe(
            keyOf("pause", "/one/pause-bbbbbbbbbbbb"),
        );
        expect(keyOf("pause", "/one/pause-aaaaaaaaaaaa")).toBe(
            keyOf("pause", "/two/pause-aaaaaaaaaaaa"),
        );
        expect(keyOf("pause", "/one/tools-aaaaaaaaaaaa")).not.toBe(
            keyOf("etcd", "/one/tools-aaaaaaaaaaaa"),
        );
    });

    test("has one layer and runs as user nobody", () => {
        expect(createConfig("pause", "0123")).toMatchObject({
            os: "linux",
            config: { User: "65532:65532", Entrypoint: ["/pause"] },
            rootfs: { type: "layers", diff_ids: ["sha256:0123"] },
        });
    });
});

test("an image of Debian packages contains their versions", () => {
    const packages = ["libc6:amd64=2.41-12", "redis-server=5:8.0.2-3"];
    expect(createDockerfile(packages, ["COPY a /a"]).split("\n")).toEqual([
        "FROM scratch",
        "ADD root.tar /",
        "COPY a /a",
        'LABEL property-search.io/packages="libc6:amd64=2.41-12 redis-server=5:8.0.2-3"',
        "",
    ]);
});

test("an image of one program runs it with a pod's arguments, as the official one does", () => {
    const programs = IMAGES.flatMap(({ name, recipe }) =>
        recipe.kind === "debian" && recipe.entrypoint !== undefined
            ? [[name, entrypointLines(recipe)]]
            : [],
    );
    expect(Object.fromEntries(programs)).toEqual({
        prometheus: ['ENTRYPOINT ["/usr/bin/prometheus"]'],
        alertmanager: ['ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]'],
        "redis-exporter": ['ENTRYPOINT ["/usr/bin/prometheus-redis-exporter"]'],
    });
});

test("an image's newest version stays alone, and nothing of another's name goes", async () => {
    const others = ["redis-root-0123456789ab", "redis-exporter-0123456789ab.tar", "redis-tools"];
    const older = ["redis-aaaaaaaaaaaa.tar", "redis-bbbbbbbbbbbb.tar.partial"];
    const newest = "redis-0123456789ab.tar";
    for (const file of [...others, ...older, newest]) writeFileSync(path.join(folder, file), "");
    await removeOlder("redis", path.join(folder, newest));
    expect(readdirSync(folder).sort()).toEqual([...others, newest].sort());
});

test("versions that nothing has used for a week go, and younger ones and other names stay", async () => {
    const used = (file: string, days: number) => {
        const date = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
        writeFileSync(path.join(folder, file), "");
        utimesSync(path.join(folder, file), date, date);
    };
    used("keda-aaaaaaaaaaaa", 8);
    used("keda-bbbbbbbbbbbb", 6);
    used("etcd-aaaaaaaaaaaa.partial", 8);
    used("traefik-aaaaaaaaaaaa", 8);
    await removeUnused(["keda", "etcd"], folder);
    expect(readdirSync(folder).sort()).toEqual(["keda-bbbbbbbbbbbb", "traefik-aaaaaaaaaaaa"]);
});

test.each([
    ["redis-0123456789ab", true],
    ["redis-0123456789ab.tar", true],
    ["redis-0123456789ab.tar.build", true],
    ["redis-0123456789ab.new", true],
    ["redis-0123456789abc", false],
    ["node-0123456789ab.tar", false],
])("%s is a version of redis: %s", (file, expected) => {
    expect(isVersionOf("redis", file)).toBe(expected);
});

describe("REFRESH", () => {
    test.each([
        [undefined, false],
        ["", false],
        ["images", true],
    ])("%p asks for new packages: %p", (value, expected) => {
        expect(isRefreshRequested(value)).toBe(expected);
    });

    test("of anything else is rejected with the allowed values", () => {
        expect(() => isRefreshRequested("all")).toThrow('REFRESH is "all"; allowed: images');
    });
});
