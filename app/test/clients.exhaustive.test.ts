import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { beforeAll, describe, expect, test } from "@jest/globals";

import { rankedListings, runExample } from "./support/examples.ts";
import { MODEL, stubEnvironment } from "./support/service.ts";
import { setUpTenants, setUpService, setUpUpstream } from "./support/setUp.ts";
import { trueVector } from "./support/vectors.ts";

const KEY = "key-of-search";
const TEXTS = ["two rooms near the station", "Wohnk\u00fcche \ud83c\udfe1", "a garden"];
const EXPECTED = TEXTS.map((text) => [...trueVector(text)]);
const FOLDER = join(import.meta.dirname, "clients");
/** Importing LlamaIndex takes two minutes on a busy machine. */
const CLIENT_MILLISECONDS = 300_000;

let python: string;
const tenants = setUpTenants({ id: "search", key: KEY });
const upstream = setUpUpstream();
const service = setUpService(() => ({
    ...stubEnvironment(upstream.url),
    TENANTS_FILE: tenants.file,
}));

beforeAll(() => {
    const installed = execFileSync(join(FOLDER, "install.sh"), ["--check"], { encoding: "utf8" });
    python = join(installed.trim(), "bin/python");
});

/** The result of a client, with numbers rounded to the precision of the wire. */
async function askBy(client: string): Promise<unknown> {
    const script = join(FOLDER, "clients.py");
    const asking = promisify(execFile)(python, [script, client, service.url, KEY, MODEL], {
        timeout: CLIENT_MILLISECONDS,
    });
    asking.child.stdin?.end(TEXTS.join("\n"));
    const { stdout } = await asking;
    return JSON.parse(stdout, (_, value: unknown) =>
        typeof value === "number" ? Math.fround(value) : value,
    );
}

describe("The example", () => {
    test.each(["openai-python.py", "langchain-python.py"])(
        "%s ranks listings",
        async (file) => {
            const printed = await runExample(
                { file, command: python },
                { url: service.url, key: KEY, timeoutMilliseconds: CLIENT_MILLISECONDS },
            );
            expect(printed).toBe(rankedListings());
        },
        CLIENT_MILLISECONDS,
    );
});

describe("A client in Python", () => {
    test(
        "of OpenAI reads vectors, models and errors, also through Azure's API",
        async () => {
            expect(await askBy("openai-python")).toEqual({
                vectors: EXPECTED,
                floats: EXPECTED,
                azure: EXPECTED,
                dimensions: 8,
                tokens: [...trueVector("tokens 1 2 3")],
                models: [MODEL],
                anonymous: TEXTS.length,
                errors: [
                    ["AuthenticationError", "invalid_api_key"],
                    ["NotFoundError", "model_not_found"],
                    ["BadRequestError", null],
                ],
            });
        },
        CLIENT_MILLISECONDS,
    );

    test(
        "of LangChain embeds documents and queries, also through Azure's API",
        async () => {
            expect(await askBy("langchain")).toEqual({
                vectors: EXPECTED,
                query: EXPECTED[0],
                azure: EXPECTED,
                dimensions: 8,
            });
        },
        CLIENT_MILLISECONDS,
    );

    test(
        "of LlamaIndex embeds texts in batches, and queries",
        async () => {
            expect(await askBy("llama-index")).toEqual({
                vectors: EXPECTED,
                query: EXPECTED[0],
                floats: EXPECTED,
            });
        },
        CLIENT_MILLISECONDS,
    );

    test(
        "of LiteLLM embeds by either provider's name, and recognises a wrong key",
        async () => {
            expect(await askBy("litellm")).toEqual({
                vectors: EXPECTED,
                floats: EXPECTED,
                azure: EXPECTED,
                errors: [["AuthenticationError", 401]],
            });
        },
        CLIENT_MILLISECONDS,
    );
});
