import { beforeAll, expect, test } from "@jest/globals";
import { COLOURS, HEADERS, PATHS, type Colour } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import { deploymentOf, openClient, openCluster, type Client } from "../support/cluster.ts";

const cluster = openCluster();
let client: Client;
/** The stack's setting, from the environment of its pods. */
let isAnonymousServed: boolean;

beforeAll(async () => {
    client = await openClient(cluster);
    const { spec } = await deploymentOf(cluster, "blue");
    const environment = spec?.template.spec?.containers[0]?.env ?? [];
    const { value } = environment.find(({ name }) => name === SERVICE_SETTINGS.anonymous.env) ?? {};
    isAnonymousServed = value === "true";
});

async function ask(colour: Colour, headers: Readonly<Record<string, string>>): Promise<number> {
    const response = await fetch(client.url + PATHS.embed, {
        method: "POST",
        headers: {
            ...headers,
            "content-type": "application/json",
            [HEADERS.previewColour]: colour,
        },
        body: JSON.stringify({ text: "Two rooms near the station" }),
    });
    await response.arrayBuffer();
    return response.status;
}

test.each(COLOURS)("%s serves who shows the platform's key", async (colour) => {
    expect(await ask(colour, client.headers)).toBe(200);
});

test.each(COLOURS)(
    "%s serves clients without a key if tenants.anonymous allows it",
    async (colour) => {
        expect(await ask(colour, {})).toBe(isAnonymousServed ? 200 : 401);
    },
);

test.each(COLOURS)("%s refuses a key that it does not know", async (colour) => {
    expect(await ask(colour, { authorization: "Bearer not-a-key" })).toBe(401);
});
