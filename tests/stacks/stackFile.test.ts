import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { loadConfig } from "../../config.ts";
import { ConfigReader } from "../../config/reader.ts";
import { unknownKeys } from "../../config/unknownKeys.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

const IMAGES = `config:
    property-search:blue.image: registry.example.com/service:v1.0.0
    property-search:green.image: registry.example.com/service:v1.0.0
`;

let root: string;

beforeEach(() => {
    root = makeTemporaryFolder();
    copyFileSync(
        path.join(import.meta.dirname, "../../Pulumi.yaml"),
        path.join(root, "Pulumi.yaml"),
    );
});

afterEach(() => {
    pulumi.runtime.setAllConfig({});
});

/** Loads the config of a stack with this file, as a rendering and an apply do. */
function load(text: string) {
    writeFileSync(path.join(root, "Pulumi.x.yaml"), text);
    const { values, secretKeys } = stackConfig("x", undefined, {}, root);
    pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
    return loadConfig(new ConfigReader(new pulumi.Config("property-search")));
}

test("a key without a project is the project's, as for Pulumi", () => {
    expect(load(`${IMAGES}    service.minReplicas: 5\n`).service.minReplicas).toBe(5);
});

describe("rejects", () => {
    test.each([
        [
            "a mistyped project",
            "    propertysearch:service.minReplicas: 5\n",
            /propertysearch:service\.minReplicas is read by nothing.*did you mean property-search:service\.minReplicas\?/,
        ],
        [
            "config of a package whose provider is explicit",
            "    kubernetes:context: elsewhere\n",
            /kubernetes:context is read by nothing/,
        ],
        [
            "a mistyped key",
            "    property-search:service.minReplica: 5\n",
            /service\.minReplica is unknown.*did you mean service\.minReplicas\?/,
        ],
        [
            "a mistyped key without a project",
            "    service.minReplica: 5\n",
            /service\.minReplica is unknown.*did you mean service\.minReplicas\?/,
        ],
        [
            "a key with and without its project",
            "    blue.image: another:v1.0.0\n",
            /property-search:blue\.image is in Pulumi\.x\.yaml twice/,
        ],
    ])("%s", (_, line, words) => {
        expect(() => load(IMAGES + line)).toThrow(words);
    });

    test.each([
        [
            "a mistyped field of the file",
            "configs: {}\n",
            /configs of Pulumi\.x\.yaml is unknown.*did you mean config\?/,
        ],
        [
            "config of environments, which a rendering cannot open",
            `${IMAGES}environment: [production]\n`,
            /environment of Pulumi\.x\.yaml is \["production"\]; allowed: nothing, .*write their values under config/,
        ],
        [
            "a mistyped environment",
            "enviroment: [production]\n",
            /enviroment of Pulumi\.x\.yaml is unknown; allowed: config, secretsprovider/,
        ],
        ["what is no map", "config: [a]\n", /config of Pulumi\.x\.yaml is \["a"\]; allowed: a map/],
        [
            "several documents",
            `${IMAGES}---\na: b\n`,
            /Pulumi\.x\.yaml has several documents; allowed: one/,
        ],
        ["what is no YAML", "config:\n\tblue.image: a\n", /Pulumi\.x\.yaml is no YAML/],
    ])("%s", (_, text, words) => {
        expect(() => load(text)).toThrow(words);
    });
});

test("a file without config is taken for an empty one", () => {
    expect(() => load("config:\n")).toThrow(/blue\.image is not set/);
});

test("a map whose values are keys of their own names these: Pulumi takes a dot for a step into it", () => {
    const known = new Set(["prometheus.labels", "redis.passwords.app"]);
    const values: Record<string, string> = {
        "p:prometheus": '{"labels":"{}"}',
        "p:redis": '{"passwords":{"app":"a"}}',
        "p:other": '{"labels":{}}',
    };
    expect(unknownKeys(Object.keys(values), "p", known, (key) => values[key])).toEqual([
        `p:prometheus is a map; allowed: p:prometheus.labels, whose dots are a part of it (pulumi config set --path '["prometheus.labels"]…')`,
        `p:redis is a map; allowed: p:redis.passwords.app, whose dots are a part of it (pulumi config set --path '["redis.passwords.app"]…')`,
        "p:other is unknown; allowed: the keys that Pulumi.yaml declares",
    ]);
    expect(() => load("config: { property-search:prometheus: { labels: {} } }\n")).toThrow(
        "property-search:prometheus is a map; allowed: property-search:prometheus.labels",
    );
});

test("keys of Pulumi itself are left to it, and what is near no key gets no suggestion", () => {
    const known = new Set(["service.minReplicas"]);
    expect(unknownKeys(["pulumi:tags", "p:service.minReplicas"], "p", known)).toEqual([]);
    expect(unknownKeys(["p:anything"], "p", known)).toEqual([
        "p:anything is unknown; allowed: the keys that Pulumi.yaml declares",
    ]);
});

test("plaintext secrets are reported together with other problems, and none is printed", () => {
    const lines = [
        "service.minReplicas: none",
        "redis.passwords.app: first-password",
        "alerts.slackUrl: https://hooks.example.com/second",
    ];
    const file = IMAGES + lines.map((line) => `    property-search:${line}\n`).join("");
    expect(() => load(file)).toThrow(/has 3 errors:/);
    expect(() => load(file)).toThrow(/redis\.passwords\.app is readable/);
    expect(() => load(file)).toThrow(/alerts\.slackUrl is readable/);
    expect(() => load(file)).not.toThrow(/first-password|hooks\.example/);
});
