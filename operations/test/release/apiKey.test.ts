import { beforeEach, expect, test } from "@jest/globals";
import { HEADERS, isColour } from "@property-search/contract";
import { gatewayDataPlane } from "../../release/dataPlane/gateway.ts";

/** API keys that the service accepts. */
let accepted: (string | undefined)[];
let reported: string[];

beforeEach(() => {
    accepted = ["first"];
    reported = [];
});

/** A service that embeds each text as the same vector, and rejects invalid bodies after the key. */
function send(_: string, init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    const key = headers.get("authorization")?.replace("Bearer ", "");
    if (init?.method === "POST" && !accepted.includes(key)) {
        return Promise.resolve(new Response("{}", { status: 401 }));
    }
    const { texts } = JSON.parse((init?.body as string | undefined) ?? "{}") as {
        texts?: string[];
    };
    const colour = headers.get(HEADERS.previewColour);
    const answered = {
        [HEADERS.servedBy]: isColour(colour) ? colour : "blue",
        [HEADERS.cache]: "",
    };
    const status = init?.method === "POST" && texts === undefined ? 400 : 200;
    const body = { embeddings: texts?.map(() => [1, 0]) };
    return Promise.resolve(
        new Response(JSON.stringify(body), {
            status,
            headers: { ...answered, [HEADERS.cache]: texts?.map(() => "MISS").join(", ") ?? "" },
        }),
    );
}

const dataPlane = (readApiKey: (isRejected: boolean) => Promise<string | undefined>) =>
    gatewayDataPlane({ url: "http://gateway", send, readApiKey, report: (l) => reported.push(l) });

test("a key that is rotated during a switch is read again", async () => {
    const keys = ["first", "second"];
    let reads = 0;
    const { compare } = dataPlane(() => Promise.resolve(keys[reads++]));
    expect(await compare("green", "blue")).toEqual([]);
    expect(reads).toBe(1);
    accepted = ["second"];
    expect(await compare("green", "blue")).toEqual([]);
    expect(await compare("green", "blue")).toEqual([]);
    expect(reads).toBe(2);
    expect(reported).toEqual(["the API key was rejected; the stack's current one is accepted"]);
});

test("a wrong API_KEY of the environment is replaced by the stack's own key", async () => {
    const { keyProblem } = dataPlane((isRejected) =>
        Promise.resolve(isRejected ? "first" : "of another program"),
    );
    expect(await keyProblem("blue")).toBeUndefined();
    expect(reported).toHaveLength(1);
});

test.each([
    [undefined, /at green responded with 401: it requires an API key; set API_KEY/],
    ["old", /at green responded with 401: this API key is invalid; set API_KEY/],
])("without a valid key (%s) the problem has the remedy", async (key, words) => {
    const { keyProblem, compare } = dataPlane(() => Promise.resolve(key));
    expect(await keyProblem("green")).toMatch(words);
    await expect(compare("green", "blue")).rejects.toThrow(words);
});

test("without a key the problem of a wrong API_KEY names the variable", async () => {
    process.env.API_KEY = "of another program";
    const { keyProblem } = dataPlane((isRejected) =>
        Promise.resolve(isRejected ? undefined : process.env.API_KEY),
    );
    expect(await keyProblem("green")).toMatch(/API_KEY of the environment is not a tenant's key/);
});

test("anonymous access needs no key", async () => {
    accepted = [undefined];
    expect(await dataPlane(() => Promise.resolve(undefined)).keyProblem("blue")).toBeUndefined();
});

test("a key that cannot be read is read again at the next attempt", async () => {
    let reads = 0;
    const { keyProblem } = dataPlane(() =>
        (reads += 1) === 1 ? Promise.reject(new Error("no connection")) : Promise.resolve("first"),
    );
    await expect(keyProblem("blue")).rejects.toThrow("no connection");
    expect(await keyProblem("blue")).toBeUndefined();
});
