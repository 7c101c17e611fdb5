import { expect, test } from "@jest/globals";
import { readEnvironment } from "../src/settings.ts";

test("every wrong variable is named with what is allowed, and no key is shown", () => {
    const read = () =>
        readEnvironment({
            PORT: "0",
            EMBEDDING_URL: "ftp://x",
            CHAT_TIMEOUT_SECONDS: "soon",
            CHAT_API_KEY: "a secret key",
        });
    expect(read).toThrow(
        /PORT is "0"; allowed: .*\n.*EMBEDDING_URL is "ftp:\/\/x"; allowed: an http or https URL.*\n.*CHAT_API_KEY is wrong.*\n.*CHAT_TIMEOUT_SECONDS is "soon"; allowed: /,
    );
    expect(read).not.toThrow("a secret key");
});

test("nothing has to be set beside make dev", () => {
    expect(readEnvironment({})).toMatchObject({
        port: 3000,
        embeddingUrl: "http://127.0.0.1:8001/v1",
        chatUrl: "",
    });
});
