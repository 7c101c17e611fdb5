import { expect, test } from "@jest/globals";
import { ROWS } from "../../config/settings/index.ts";
import { trapsIn } from "../../config/yamlTraps.ts";
import { isPermanentFailure } from "../../operations/release/traffic/pulumiLock.ts";
import { loadStack, readerOf } from "../support/loadStack.ts";

const WRONG = "~wrong value~";

/** Stacks that use much, so that one wrong value could take many others with it. */
const STACKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    dev: {},
    prod: {},
    "prod, with a Redis, an upstream and a Prometheus of others'": {
        "redis.mode": "external",
        "redis.url": "rediss://redis.example.com:6380",
        "redis.secretName": "redis",
        "service.provider": "openai",
        "service.upstreamUrl": "https://api.example.com",
        "service.upstreamApiKey": "key",
        "autoscaling.missesPerSecondPerPod": "10",
        "prometheus.source": "external",
        "prometheus.url": "https://prometheus.example.com",
        "prometheus.namespace": "observability",
        "prometheus.labels": '{"release":"x"}',
        "network.destinations":
            '{"redis":[{"cidr":"10.0.0.0/8","port":6380}],"upstream":[{"cidr":"10.0.0.0/8","port":443}]}',
        "monitoring.gatewayAddress": "",
        "alerts.webhookUrl": "",
        "alerts.slackUrl": "",
        "alerts.watchdogUrl": "",
        "monitoring.remoteWriteUrl": "",
    },
};

function errorsOf(change: Readonly<Record<string, string>>, stack: string): readonly string[] {
    try {
        loadStack(change, stack);
        return [];
    } catch (error) {
        return (error as Error).message.split("\n").slice(1);
    }
}

test.each(Object.entries(STACKS))("%s: one wrong value is one error", (name, settings) => {
    const stack = name.split(",")[0] ?? name;
    expect(errorsOf(settings, stack)).toEqual([]);
    const several = [...ROWS.keys()].flatMap((key) => {
        const errors = errorsOf({ ...settings, [key]: WRONG }, stack);
        const isOne = errors.length <= 1 && errors.every((one) => one.includes(`:${key} `));
        return isOne ? [] : [{ key, errors }];
    });
    expect(several).toEqual([]);
});

test("an invalid value in the file is reported once", () => {
    for (const key of ["images.pullSecrets", "network.dns", "edge.hostname"]) {
        const read = readerOf("property-search");
        for (const [name, words] of trapsIn(`config:\n  property-search:${key}: null\n`)) {
            read.addError(name, words, "file");
        }
        const load = () => loadStack({ [key]: "null" }, "dev", read);
        expect(load).toThrow(/has 1 error:\n.* is null; allowed: a value, or no such key$/);
    }
});

test.each([
    ["one", { "redis.mode": WRONG }],
    ["several", { "redis.mode": WRONG, "redis.storage": WRONG }],
])("a switch does not retry an update with %s wrong values", (_, change) => {
    let message = "";
    try {
        loadStack(change, "dev");
    } catch (error) {
        ({ message } = error as Error);
    }
    expect(isPermanentFailure(message)).toBe(true);
});

test("two wrong values are two errors, without those that follow from them", () => {
    const change = { "redis.mode": "sentinel", "service.memoryLimit": "much" };
    expect(errorsOf(change, "prod").map((one) => one.split(" ")[3])).toHaveLength(2);
});
