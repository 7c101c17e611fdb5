import { describe, expect, test } from "@jest/globals";
import { GENERATED_SECRETS } from "@property-search/contract";
import { isDeepStrictEqual } from "node:util";
import type { Manifest } from "../../render.ts";
import { at, containersOf, walk } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/** Secrets from an issuer, with the config that makes the program use them. */
const GIVEN = {
    "service.upstreamApiKey": {
        "service.provider": "openai",
        "service.upstreamUrl": "https://api.example.com/v1",
        "autoscaling.missesPerSecondPerPod": "5",
    },
    "alerts.slackUrl": { "alerts.slackChannel": "#alerts" },
    "monitoring.remoteWriteToken": { "monitoring.remoteWriteUrl": "https://metrics.example.com/w" },
} as const;
const SECRETS = [...GENERATED_SECRETS, ...Object.keys(GIVEN)];
const valueOf = (key: string, letter: string) =>
    `${key === "alerts.slackUrl" ? "https://hooks.slack.example/" : ""}${letter.repeat(40)}${SECRETS.indexOf(key)}`;
const BEFORE = Object.fromEntries(SECRETS.map((key) => [key, valueOf(key, "a")]));

const rendered = async (change: Record<string, string>) => {
    const given = Object.assign({}, ...Object.values(GIVEN)) as Record<string, string>;
    const config = { ...BEFORE, ...given, ...change };
    return (await render({ stack: "prod", config })).manifests;
};
const named = ({ kind, metadata }: Manifest) =>
    `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
const secretsChanged = (before: readonly Manifest[], after: readonly Manifest[]) => {
    const known = new Map(before.map((one) => [named(one), one]));
    return after.filter(
        (one) => one.kind === "Secret" && !isDeepStrictEqual(one, known.get(named(one))),
    );
};
/** Names of Secrets that a workload's containers get by their environment, which only other pods change. */
const readByEnvironment = (workload: Manifest) =>
    containersOf(workload).flatMap((container) =>
        ((container.env ?? []) as object[]).flatMap((one) => {
            const name = at(one, "valueFrom", "secretKeyRef", "name");
            return typeof name === "string" ? [name] : [];
        }),
    );

describe("another value of a secret", () => {
    test.each(SECRETS)("%s: pods that read it from the environment are replaced", async (key) => {
        const [before, after] = [await rendered({}), await rendered({ [key]: valueOf(key, "b") })];
        const changed = secretsChanged(before, after);
        expect(changed).not.toEqual([]);
        const was = new Map(before.map((one) => [named(one), one]));
        for (const workload of after.filter(({ kind }) => /Deployment|StatefulSet/.test(kind))) {
            const reads = readByEnvironment(workload);
            const concerned = changed.some(
                ({ metadata }) =>
                    metadata.namespace === workload.metadata.namespace &&
                    reads.includes(metadata.name),
            );
            if (!concerned) continue;
            const template = (one?: Manifest) => at(one, "spec", "template");
            expect([named(workload), template(workload)]).not.toEqual([
                named(workload),
                template(was.get(named(workload))),
            ]);
        }
    });

    test("pods that read a secret from a file mount its folder, which follows the Secret", async () => {
        for (const manifest of await rendered({})) {
            for (const container of containersOf(manifest)) {
                const mounts = (container.volumeMounts ?? []) as object[];
                expect(mounts.filter((mount) => "subPath" in mount)).toEqual([]);
            }
        }
    });

    test("no secret value appears outside of Secrets", async () => {
        const values = Object.fromEntries(
            SECRETS.map((key, at) => [key, valueOf(key, `value${at}`)]),
        );
        const others = (await rendered(values)).filter(({ kind }) => kind !== "Secret");
        for (const [path, value] of walk(others)) {
            if (typeof value !== "string") continue;
            const found = Object.values(values).find((secret) => value.includes(secret));
            expect([path, found]).toEqual([path, undefined]);
        }
    });

    test("Redis is not restarted by another password of any user", async () => {
        const redis = (manifests: readonly Manifest[]) =>
            manifests.find(
                ({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "redis-cluster",
            );
        const users = ["app", "exporter", "admin"];
        const change = users.map((user) => [`redis.passwords.${user}`, user.repeat(20)] as const);
        const after = await rendered(Object.fromEntries(change));
        expect(redis(after)).toEqual(redis(await rendered({})));
    });
});
