import { describe, expect, test } from "@jest/globals";
import { parseRequestHead } from "../../src/http/transport/requestHead.ts";

describe("A head", () => {
    const lines = (...fields: readonly string[]): string =>
        ["POST /embed HTTP/1.1", "Host: a", ...fields, ""].join("\r\n");

    test("that is plain is parsed", () => {
        expect(parseRequestHead(lines("Content-Length: 12", "X-Word:  two words"))).toEqual({
            method: "POST",
            url: "/embed",
            length: 12,
            rawHeaders: ["Host", "a", "Content-Length", "12", "X-Word", "two words"],
        });
    });

    test.each([
        ["two lengths", ["content-length: 1", "content-length: 1"]],
        ["no length", []],
        ["a list of lengths", ["content-length: 1, 1"]],
        ["chunks", ["content-length: 1", "transfer-encoding: chunked"]],
        ["a wish for 100", ["content-length: 1", "expect: 100-continue"]],
        ["the end of the connection", ["content-length: 1", "connection: close"]],
        ["the end of the connection by a proxy", ["content-length: 1", "Proxy-Connection: close"]],
        ["another protocol", ["content-length: 1", "upgrade: h2c"]],
        ["another host", ["content-length: 1", "host: b"]],
        ["a folded field", ["content-length: 1", "x: a", " b"]],
        ["a space before the colon", ["content-length: 1", "x : a"]],
        [
            "more fields than anybody sends",
            [...Array<string>(101).fill("x: y"), "content-length: 1"],
        ],
    ])("with %s is left to the complete parser", (_, fields) => {
        expect(parseRequestHead(lines(...fields))).toBeUndefined();
    });
});
