import { describe, expect, test } from "@jest/globals";
import { parseImage } from "./images.ts";

const SHA = `sha256:${"0a".repeat(32)}`;

describe("an image reference", () => {
    test.each([
        ["redis", "docker.io/library/redis", undefined, undefined],
        ["redis:8.2.3-bookworm", "docker.io/library/redis", "8.2.3-bookworm", undefined],
        ["docker.io/redis:8", "docker.io/library/redis", "8", undefined],
        ["index.docker.io/prom/prometheus", "docker.io/prom/prometheus", undefined, undefined],
        ["grafana/grafana:12.4.0", "docker.io/grafana/grafana", "12.4.0", undefined],
        ["localhost/redis:local", "localhost/redis", "local", undefined],
        ["localhost:5000/a/b", "localhost:5000/a/b", undefined, undefined],
        ["registry:5000/a", "registry:5000/a", undefined, undefined],
        ["registry:5000", "docker.io/library/registry", "5000", undefined],
        ["10.0.0.1:5000/a:v1", "10.0.0.1:5000/a", "v1", undefined],
        ["[2001:db8::1]:5000/a:v1", "[2001:db8::1]:5000/a", "v1", undefined],
        [`ghcr.io/kedacore/keda:2.17.0@${SHA}`, "ghcr.io/kedacore/keda", "2.17.0", SHA],
        [`a@${SHA}`, "docker.io/library/a", undefined, SHA],
        ["gcr.io/a_b/c__d/e--f:X_1", "gcr.io/a_b/c__d/e--f", "X_1", undefined],
    ])("%s", (reference, name, tag, digest) => {
        expect(parseImage(reference)).toMatchObject({ name, tag, digest });
    });

    test.each([
        "",
        "Redis",
        "a b",
        "a:",
        "a@sha256:1",
        "/a",
        "a//",
        "a//b:v1",
        "a..b:v1",
        "a/-b:v1",
        "a._b",
        "a___b",
        "https://ghcr.io/a",
        `a:${"x".repeat(129)}`,
    ])("is not %j", (text) => {
        expect(parseImage(text)).toBeUndefined();
    });
});
