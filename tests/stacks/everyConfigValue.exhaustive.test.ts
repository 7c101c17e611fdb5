import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { COLOURS, GENERATED_SECRETS, SERVICE_NAMES } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { readConfig } from "../../app/src/config.ts";
import { loadConfig } from "../../config.ts";
import { ConfigReader } from "../../config/reader.ts";
import { ROWS } from "../../config/settings/index.ts";
import { allowedConnections } from "../../config/traffic.ts";
import { parseTenants } from "../../contract/src/tenants.ts";
import type { Manifest } from "../../render.ts";
import { stackConfig } from "../../render/stackConfig.ts";
import { zooOf } from "../support/configValues.ts";
import { shapeFaults } from "../support/objectShapes.ts";
import { at, containersOf } from "../support/program.ts";
import { propertyRuns } from "../support/property.ts";
import { quietly, render } from "../support/stacks.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

/*
 * Every key of Pulumi.yaml with many values: the program rejects a value with a message
 * that names the key, or the pods' own reader and the API server take what becomes of it.
 */

// At full size it loads the config some ten thousand times.
jest.setTimeout(600_000);

const PROJECT = "property-search";
const SECRET = "x".repeat(43);
const SECRETS: readonly string[] = [
    ...GENERATED_SECRETS,
    ...["service.upstreamApiKey", "service.upstreamFallbackApiKeys", "alerts.slackUrl"],
    "monitoring.remoteWriteToken",
    "prometheus.token",
    ...["insights.slackUrl", "example.chatApiKey"],
];

/** Between them, each key has an effect in one. */
const BASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "with Redis and model of its own": {},
    "with everything from elsewhere": {
        "redis.mode": "external",
        "redis.url": "rediss://a.example:6380",
        "redis.secretName": "managed",
        "service.provider": "openai",
        "service.model": "text-embedding-3-small",
        "service.upstreamUrl": "https://api.example/v1",
        "service.upstreamApiKey": "a-key-of-the-api",
        "autoscaling.missesPerSecondPerPod": "50",
        "tracing.url": "http://collector.example.com:4318",
        "certificates.enabled": "true",
        "certificates.email": "ops@example.com",
        "edge.hostname": "embeddings.example.com",
        "monitoring.remoteWriteUrl": "https://metrics.example/push",
        "monitoring.remoteWriteToken": "a-token-of-the-remote",
        "alerts.slackUrl": "https://hooks.slack.example/T1/B2/x",
        "alerts.slackChannel": "#alerts",
        "example.chatUrl": "https://chat.example/v1",
        "example.chatApiKey": "a-key-of-the-chat",
    },
};

/** Keys that the second base gives an effect, or another one than the first does. */
const OF_OTHERS =
    /^(redis|certificates|tracing|example)\.|^service\.(model|provider|revision|upstream)|^alerts\.slack|^monitoring\.remoteWrite|^network|^edge\.(http|host)/;

const SECRET_KEYS = [...stackConfig("dev", undefined).secretKeys];

type Outcome = { readonly config: ReturnType<typeof loadConfig> } | { readonly error: unknown };

function load(values: Readonly<Record<string, string>>): Outcome {
    pulumi.runtime.setAllConfig(
        Object.fromEntries(
            Object.entries(values).map(([key, value]) => [`${PROJECT}:${key}`, value]),
        ),
        SECRET_KEYS,
    );
    try {
        const config = loadConfig(new ConfigReader(new pulumi.Config(PROJECT)));
        allowedConnections(config);
        return { config };
    } catch (error) {
        return { error };
    }
}

function valuesOf(base: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    // The policies of the API server are many objects, and no value changes them.
    const { values } = stackConfig("dev", undefined, { "policies.admission": "false", ...base });
    return Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key.slice(PROJECT.length + 1), value]),
    );
}

/** What is wrong with how the program says no. */
function faultOf(error: unknown, key: string, value: string): string | undefined {
    if (!pulumi.RunError.isInstance(error)) return `is an error of the program: ${String(error)}`;
    if (!error.message.includes(key)) return `names other keys: ${error.message}`;
    if (
        error.message
            .split("\n")
            .slice(1)
            .some((line) => !line.includes("allowed: "))
    )
        return `does not say what is allowed: ${error.message}`;
    const isHidden = SECRETS.includes(key) && value.trim().length > 8;
    // What is allowed, and the key, may have the value as a word: values are made of the descriptions too.
    const shown = error.message.replaceAll(/allowed: .*/g, "").replaceAll(key, "");
    return isHidden && shown.includes(value) ? "shows a secret" : undefined;
}

afterEach(() => {
    pulumi.runtime.setAllConfig({});
});

const keys = [...ROWS.keys()];

describe.each(Object.entries(BASES))("a stack %s", (_, base) => {
    const values = valuesOf(base);
    const tried = Object.keys(base).length === 0 ? keys : keys.filter((key) => OF_OTHERS.test(key));
    /** By key. */
    const accepted = new Map<string, string[]>();

    test("is rejected with a message that names the key, or is accepted, for every value", async () => {
        const faults: string[] = [];
        /** @returns the values that are accepted */
        const tryAll = (key: string) =>
            [...new Set([values[key] ?? "", ...zooOf(key)])].filter((value) => {
                const outcome = load({ ...values, [key]: value });
                if ("config" in outcome) return true;
                const fault = faultOf(outcome.error, key, value);
                if (fault !== undefined) faults.push(`${key} = ${JSON.stringify(value)} ${fault}`);
                return false;
            });
        await quietly(() => {
            for (const key of tried) accepted.set(key, tryAll(key));
            return Promise.resolve();
        });
        expect(faults).toEqual([]);
        expect(tried.filter((key) => accepted.get(key)?.length === 0)).toEqual([]);
    });

    test("is taken by its pods and by the API server with every value that is accepted", async () => {
        const left = new Set<string>();
        for (let turn = 0; turn < TURNS; turn += 1) {
            const config = together(values, accepted, turn, left);
            const { manifests } = await render({
                stack: "dev",
                config: { ...config, ...secretsOf(config) },
            });
            expect(shapeFaults(manifests)).toEqual([]);
            for (const colour of COLOURS)
                expect(podFault(manifests, SERVICE_NAMES[colour])).toBeUndefined();
        }
        // What does not go together with the others is taken alone.
        for (const pair of [...left].slice(0, TURNS)) {
            const { key, value } = JSON.parse(pair) as { key: string; value: string };
            const config = { ...values, [key]: value };
            const { manifests } = await render({
                stack: "dev",
                config: { ...config, ...secretsOf(config) },
            });
            expect([pair, ...shapeFaults(manifests)]).toEqual([pair]);
        }
    });
});

/** Renderings, in each of which every key has another value of its own. */
const TURNS = Math.ceil(propertyRuns(120).numRuns / 5);

/** Values of all keys together, the next of each key; contradictory ones are postponed. */
function together(
    values: Readonly<Record<string, string>>,
    accepted: ReadonlyMap<string, readonly string[]>,
    turn: number,
    left: Set<string>,
): Readonly<Record<string, string>> {
    const chosen = new Map(
        [...accepted].map(([key, all]) => {
            const step = Math.max(1, Math.floor(all.length / TURNS));
            return [key, all[(turn * step) % all.length] ?? ""];
        }),
    );
    for (;;) {
        const config = { ...values, ...Object.fromEntries(chosen) };
        const outcome = load(config);
        if ("config" in outcome) return config;
        const named = keys.filter(
            (key) => chosen.has(key) && String(outcome.error).includes(`${key} `),
        );
        if (named.length === 0) throw outcome.error;
        for (const key of named) {
            left.add(JSON.stringify({ key, value: chosen.get(key) }));
            chosen.delete(key);
        }
    }
}

/** A rendering with secrets, so that pods get values that they can check. */
function secretsOf(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const masked = Object.entries(config).filter(([, value]) => value === "[secret]");
    return Object.fromEntries(masked.map(([key], at) => [key, `${SECRET}${at}`]));
}

/** Why the service would not start in the pod of a Deployment. */
/** The Secret of an external Redis, as the pod has it mounted. */
const LOGIN = makeTemporaryFolder();
for (const file of ["username", "password", "sentinel-password"]) {
    writeFileSync(path.join(LOGIN, file), SECRET);
}

function podFault(manifests: readonly Manifest[], name: string): string | undefined {
    const deployment = manifests.find(
        ({ kind, metadata }) => kind === "Deployment" && metadata.name === name,
    );
    if (!deployment) return `there is no ${name}`;
    const { namespace } = deployment.metadata;
    const secret = (of: unknown, key: unknown) => {
        const found = manifests.find(
            ({ kind, metadata }) =>
                kind === "Secret" && metadata.namespace === namespace && metadata.name === of,
        );
        const data = at(found, "data", String(key));
        // One that the stack does not make holds what its owner put there.
        return typeof data === "string" ? Buffer.from(data, "base64").toString() : SECRET;
    };
    const variables = containersOf(deployment).flatMap(
        ({ env }) => env as { name: string; value?: string; valueFrom?: object }[],
    );
    const environment = Object.fromEntries(
        variables
            // Files of the pod, which are not here.
            .filter((one) => !/^REDIS_(CA|CERT|KEY)_FILE$/.test(one.name))
            .map((one) => [
                one.name,
                one.value ??
                    secret(
                        at(one.valueFrom, "secretKeyRef", "name"),
                        at(one.valueFrom, "secretKeyRef", "key"),
                    ),
            ]),
    );
    try {
        const mounted = environment.REDIS_CREDENTIALS_DIR && { REDIS_CREDENTIALS_DIR: LOGIN };
        readConfig({ ...environment, MODEL_DIR: "/model", ...mounted });
        parseTenants(secret("tenants", "tenants.json"));
        return undefined;
    } catch (error) {
        return String(error);
    }
}
