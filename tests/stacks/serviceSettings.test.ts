import { afterAll, describe, expect, test } from "@jest/globals";
import { errorsOf, SERVICE_SETTINGS, type Setting } from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import path from "node:path";
import { readConfig } from "../../app/src/config.ts";
import { servicePod } from "../../components/embeddingService/pod.ts";
import { withConfig } from "../../config/projectFile.ts";
import { ConfigReader } from "../../config/reader.ts";
import { readService } from "../../config/service.ts";
import { ROWS, textOf } from "../../config/settings/index.ts";
import { zooOf } from "../support/configValues.ts";
import { propertyRuns } from "../support/property.ts";

const PROJECT = "property-search";
const SETTINGS = Object.values<Setting>(SERVICE_SETTINGS);
const KEYED = SETTINGS.flatMap((row) => (row.key === undefined ? [] : [{ ...row, key: row.key }]));
const { adminToken, automationToken, upstreamApiKey, upstreamFallbackApiKeys } = SERVICE_SETTINGS;

/** A stack in which no setting of another key limits one of the service, and each is used. */
const BASE: Readonly<Record<string, string>> = {
    ...Object.fromEntries([...ROWS].map(([key, row]) => [key, textOf(row.default)])),
    "service.cpuLimit": "16",
    "service.memoryLimit": "64Gi",
    "service.provider": "openai",
    "service.upstreamUrl": "https://a.example/v1",
    "service.upstreamFallbackUrls": "https://b.example/v1,https://c.example/v1",
    "service.upstreamApiKey": "a-key",
    "tracing.url": "http://collector.example.com:4318",
    // No value that is tried may equal the other token: the service rejects two equal ones.
    "admin.token": "the-admin-token-of-the-base-stack-of-this-test",
    "admin.automationToken": "the-automation-token-of-the-base-stack-of-this-test",
};

class Recorder extends ConfigReader {
    readonly wrong: string[] = [];

    override addError(key: string): void {
        this.wrong.push(key);
    }
}

afterAll(() => {
    pulumi.runtime.setAllConfig({});
});

/** What the program makes of a config: the keys that are wrong, and the environment of a pod. */
function program(config: Readonly<Record<string, string>>) {
    const named = Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value]);
    const secrets = KEYED.filter(({ secret }) => secret).map(({ key }) => `${PROJECT}:${key}`);
    pulumi.runtime.setAllConfig(Object.fromEntries(named) as Record<string, string>, secrets);
    const read = new Recorder(new pulumi.Config(PROJECT));
    const service = readService(read);
    for (const row of [adminToken, automationToken]) read.secret(row.key, row);
    const { containers } = servicePod(
        {
            ...service,
            colour: "blue",
            automated: true,
            image: "a",
            version: "v1",
            redis: { url: "redis://a:6379", clustered: false, secretName: "a" },
            upstreamSecret: { name: "a", hasFallbackKeys: true },
        },
        "a",
        {},
    ) as unknown as { containers: [{ env: { name: string; value?: string }[] }] };
    const environment = containers[0].env.map(({ name, value }) => [
        name,
        // The kubelet makes one dollar sign of two.
        value?.replaceAll("$$", "$") ?? secretOf(name, config),
    ]);
    return {
        wrong: read.wrong,
        environment: { ...Object.fromEntries(environment), MODEL_DIR: "/model" } as Record<
            string,
            string
        >,
    };
}

/** What the Secret of a variable holds. */
function secretOf(variable: string, config: Readonly<Record<string, string>>): string {
    const row = [adminToken, automationToken, upstreamApiKey, upstreamFallbackApiKeys].find(
        ({ env }) => env === variable,
    );
    return (row && config[row.key]) ?? "";
}

/** What the service says against its environment. */
function service(environment: Readonly<Record<string, string>>): string {
    try {
        readConfig(environment);
        return "";
    } catch (error) {
        return String(error);
    }
}

/** Values of all kinds: of other keys, at the bounds and beyond them, and any text. */
function valuesOf({ key, words, secret }: Setting & { key: string }): fc.Arbitrary<string> {
    const bounds = (words.match(/-?\d+/g) ?? []).flatMap((bound) =>
        [-1, 0, 1].map((step) => String(Number(bound) + step)),
    );
    const values = fc.oneof(
        fc.constantFrom(...zooOf(key), ...bounds),
        fc.integer({ max: 2_000_000 }).map(String),
        fc.string({ maxLength: 80 }),
        fc
            .tuple(fc.constantFrom(...zooOf(key)), fc.string({ maxLength: 2 }))
            .map((all) => all.join("")),
    );
    // A key of the API is required of a stack, and not of a service. A Secret has no blanks around its value.
    return secret ? values.map((value) => value.trim()).filter((value) => value !== "") : values;
}

describe("a setting of the service", () => {
    test.each(KEYED.map((row) => [row.key, row] as const))(
        "%s: every value that the program accepts is one that each pod accepts, and no other",
        (key, row) => {
            const { environment } = program(BASE);
            expect(service(environment)).toBe("");
            fc.assert(
                fc.property(valuesOf(row), (value) => {
                    const given = program({ ...BASE, [key]: value });
                    if (given.wrong.length === 0) {
                        expect(service(given.environment)).toBe("");
                    } else {
                        expect(given.wrong).toContain(key);
                        expect(service({ ...environment, [row.env]: value })).toContain(
                            `${row.env} `,
                        );
                    }
                }),
                propertyRuns(400),
            );
        },
    );

    test("has a name of its own in the config and in the pod, and a default that it allows", () => {
        const keys = KEYED.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(new Set(SETTINGS.map(({ env }) => env)).size).toBe(SETTINGS.length);
        for (const { default: value, fits, usedIf: [name] = ["port"] } of SETTINGS) {
            expect(value === "" || fits(String(value))).toBe(true);
            expect(SERVICE_SETTINGS).toHaveProperty(name);
        }
    });
});

test("Pulumi.yaml has every setting as its row declares it: make settings", () => {
    const text = readFileSync(path.resolve(import.meta.dirname, "../../Pulumi.yaml"), "utf8");
    expect(withConfig(text)).toBe(text);
    expect(withConfig(text.replace(/(?<=^config:\n)[^]*/m, ""))).toBe(text);
});

test("a setting of the program has a default that it allows, or none", () => {
    const wrong = [...ROWS].flatMap(([key, row]) => {
        const text = textOf(row.default);
        return text === "" ? [] : errorsOf(row, text).map((words) => `${key} ${words}`);
    });
    expect(wrong).toEqual([]);
});
