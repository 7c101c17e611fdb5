import { beforeAll, describe, expect, test } from "@jest/globals";
import { exampleQuota, PropertySearchExample, type ExampleArgs } from "../../components/example.ts";
import { Secret } from "../../render/program.ts";
import { at, declared, needsOf, type Declared } from "../support/program.ts";

const ARGS: ExampleArgs = {
    image: "registry.example.com/property-search:v1.0.0",
    serviceUrl: "http://traefik.traefik.svc.cluster.local/",
    model: "all-MiniLM-L6-v2",
    apiKey: "the api key",
};
const CHAT = { url: "https://chat.example/v1", model: "gpt", timeoutSeconds: 9 };
const build = (change: Partial<ExampleArgs> = {}) =>
    declared(() => new PropertySearchExample("e", { ...ARGS, ...change }));
const templateOf = (all: Declared) => at(all.one(":Deployment").inputs, "spec", "template");
const container = (all: Declared) => at(templateOf(all), "spec", "containers", 0);
const valuesOf = (all: Declared) =>
    Object.fromEntries(
        (at(container(all), "env") as { name: string; value?: string }[]).map((one) => [
            one.name,
            one.value,
        ]),
    );

describe("PropertySearchExample", () => {
    let all: Declared;
    beforeAll(async () => {
        all = await build();
    });

    test("is one pod on port 3000, whose successor is ready before it ends", () => {
        expect(at(all.one(":Deployment").inputs, "spec")).toMatchObject({
            replicas: 1,
            strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        });
        expect(at(all.one(":Service").inputs, "spec", "ports")).toEqual([
            { name: "http", port: 3000, targetPort: "http", protocol: "TCP" },
        ]);
        expect(needsOf(all.one(":Deployment"))).toEqual(expect.arrayContaining(["Secret"]));
    });

    test("is alive without the service, and ready only with it", () => {
        const path = (probe: string) => at(container(all), probe, "httpGet", "path");
        expect(["startupProbe", "livenessProbe", "readinessProbe"].map(path)).toEqual([
            ...["/healthz", "/healthz", "/readyz"],
        ]);
    });

    test("has time to drain before it is killed", () => {
        const grace = at(templateOf(all), "spec", "terminationGracePeriodSeconds");
        const pause = at(container(all), "lifecycle", "preStop", "sleep", "seconds");
        const drain = Number(valuesOf(all).DRAIN_TIMEOUT_SECONDS);
        expect(Number(grace)).toBeGreaterThan(Number(pause) + drain);
    });

    test("calls the service at its URL, and a chat API where there is one", async () => {
        const url = "http://traefik.traefik.svc.cluster.local/v1";
        expect(valuesOf(all)).toMatchObject({ EMBEDDING_URL: url });
        expect(valuesOf(all)).not.toHaveProperty("CHAT_URL");
        const withChat = await build({ chat: CHAT });
        expect(valuesOf(withChat)).toMatchObject({
            CHAT_URL: CHAT.url,
            CHAT_MODEL: "gpt",
            CHAT_TIMEOUT_SECONDS: "9",
        });
        expect(valuesOf(withChat)).not.toHaveProperty("CHAT_API_KEY");
    });

    test("has its keys in a Secret alone; a new key replaces the pod", async () => {
        const withKey = await build({ chat: { ...CHAT, apiKey: "the chat key" } });
        expect(at(withKey.one(":Secret").inputs, "stringData")).toEqual(
            new Secret({
                "embedding-api-key": "the api key",
                "chat-api-key": "the chat key",
            }),
        );
        const checksum = (one: Declared) => at(templateOf(one), "metadata", "annotations");
        expect(JSON.stringify(templateOf(withKey))).not.toMatch(/the (api|chat) key/);
        expect(checksum(withKey)).not.toEqual(checksum(all));
        expect(checksum(await build({ apiKey: "another key" }))).not.toEqual(checksum(all));
    });

    test("fits its namespace with a successor and pods for debugging", () => {
        expect(exampleQuota()).toMatchObject({
            pods: "4",
            "limits.memory": "1280Mi",
            "services.loadbalancers": "0",
        });
    });
});
