import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort } from "../../../app/test/support/redisServer.ts";
import { PASSWORDS, RedisNodes } from "../../../tests/support/redisNodes.ts";
import { canLogIn } from "../../rotate/secretCheckers.ts";

describe("a login at a real Redis", () => {
    const nodes = new RedisNodes({ clustered: false });
    let port: number;
    beforeAll(async () => {
        port = await freePort();
        await nodes.start(0, "127.0.0.1", port);
    });
    afterAll(() => nodes.dispose());

    test("distinguishes accepted from rejected passwords", async () => {
        expect(await canLogIn(port, "app", PASSWORDS.app)).toBe(true);
        expect(await canLogIn(port, "app", "another")).toBe(false);
        expect(await canLogIn(port, "nobody", PASSWORDS.app)).toBe(false);
    });

    test("at an unreachable server is an error, not a rejection", async () => {
        await expect(canLogIn(await freePort(), "app", PASSWORDS.app)).rejects.toThrow();
    });
});
