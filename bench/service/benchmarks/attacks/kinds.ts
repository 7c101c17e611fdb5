import { randomBytes } from "node:crypto";

import { MODEL, NATIVE_DIMENSIONS, REFUSED_TEXT } from "../../upstream/vectors.ts";
import { listingText, requestJson } from "../../workload.ts";

const MIB = 2 ** 20;
/** Placeholder for the number of a request, which makes its texts new to every cache. */
const NUMBER = "0123456789";

/** Body of the request with this number; the next call may overwrite it. */
export type BodyOf = (turn: number) => Buffer | string;

/**
 * Bodies that are expensive at some stage. They are prepared before the first request, so that attackers take no
 * processor time from the measured clients.
 */
export const BODIES: Readonly<Record<string, () => BodyOf>> = {
    combiningMarks: () => numbered(inputJson(`a${"\u0315\u0300".repeat(40_000)}${NUMBER}`)),
    manyMarkedLetters: () => numbered(inputJson(`${"e\u0301\u0323".repeat(60_000)}${NUMBER}`)),
    longWords: () => numbered(inputJson(`${`${"x".repeat(99)} `.repeat(3_000)}${NUMBER}`)),
    dots: () => numbered(inputJson(`${".".repeat(7 * MIB)}${NUMBER}`)),
    oneLongWord: () => numbered(inputJson(`${"a".repeat(MIB)}${NUMBER}`)),
    emptyObjects: () => always(`{"model":"${MODEL}","input":[${"{},".repeat(2 * MIB)}{}]}`),
    emptyLists: () => always(`{"model":"${MODEL}","input":[${"[],".repeat(2 * MIB)}[]]}`),
    deepLists: () => always(`{"model":"${MODEL}","input":${"[".repeat(MIB)}${"]".repeat(MIB)}}`),
    manyKeys: () => {
        const keys = Array.from({ length: 300_000 }, (_, key) => `"k${key}":0`);
        return always(`{${keys.join(",")},"input":"x"}`);
    },
    manyInputs: () =>
        numbered(inputJson(Array.from({ length: 2_048 }, (_, at) => `text ${at} of ${NUMBER}`))),
    manyTokens: () => (turn) =>
        JSON.stringify({
            model: MODEL,
            input: Array.from({ length: 8_192 }, (_, at) => (turn + at) % 50_000),
            encoding_format: "base64",
        }),
    refusedAmongOthers: () => (turn) =>
        inputJson(
            Array.from({ length: 64 }, (_, at) =>
                at === turn % 64 ? `${REFUSED_TEXT} ${turn}` : `other text ${at} ${turn}`,
            ),
        ),
    invalidUtf8: () => () =>
        Buffer.concat([Buffer.from('{"input":"'), randomBytes(64), Buffer.from('"}')]),
    loneSurrogates: () =>
        numbered(`{"model":"${MODEL}","input":"${"\\ud800".repeat(10_000)}${NUMBER}"}`),
    numbers: () =>
        always(`{"model":"${MODEL}","input":"x","dimensions":1e308,"user":${"9".repeat(100_000)}}`),
    escapes: () => numbered(`{"model":"${MODEL}","input":"${"\\u0061".repeat(500_000)}${NUMBER}"}`),
};

/** Bodies of normal traffic: four times the size of the local cache, so that hits come from both tiers. */
export const NORMAL_TEXTS = 8_000;

/** Normal texts, and texts that once crashed the process or returned a wrong vector. Their answers are checked. */
export const TEXTS: Readonly<Record<string, (turn: number) => string>> = {
    normal: (turn) => listingText((turn * 7) % NORMAL_TEXTS),
    specialToken: (turn) => `two rooms <|endoftext|> and a garden ${turn}`,
    zeroWidth: (turn) => `two\u200b rooms\u2060 ${turn}`,
    rightToLeft: (turn) => `\u202eshelf ${turn}`,
    everyDimension: (turn) => `a flat of its own dimension ${turn}`,
};

/** Requested vector length for a text of `TEXTS`. */
export function dimensionsOf(name: string, turn: number): number {
    return name === "everyDimension" ? (turn % NATIVE_DIMENSIONS) + 1 : NATIVE_DIMENSIONS;
}

/** Bytes that no HTTP library sends. */
export const RAW: Readonly<Record<string, (host: string) => string>> = {
    blankHeader: (host) => post(host, `x: ${" ".repeat(15_000)}y\r\n`, "{}"),
    authorizationBlanks: (host) =>
        post(host, `authorization: Bearer${" ".repeat(15_000)}\r\n`, "{}"),
    manyHeaders: (host) =>
        post(host, Array.from({ length: 900 }, (_, at) => `x${at}: ${at}\r\n`).join(""), "{}"),
    pipelined: (host) => post(host, "", '{"input":"x"}').repeat(200),
    noHost: () => "GET /livez HTTP/1.1\r\n\r\n",
    twoLengths: (host) => post(host, "content-length: 4\r\n", "{}"),
    connectMethod: (host) => `CONNECT ${host}:443 HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    garbage: () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    chunkLines: (host) =>
        `POST /v1/embeddings HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n\r\n` +
        "1\r\n \r\n".repeat(20_000),
};

/** Clients that send a large body except its end. */
export const SLOW_BODIES = "slowBodies";

/** Texts of normal traffic, whose vectors are checked. */
export const HARMLESS = "normal";

export const ATTACKS: readonly string[] = [
    ...[BODIES, TEXTS, RAW].flatMap((kinds) => Object.keys(kinds)),
    SLOW_BODIES,
].filter((name) => name !== HARMLESS);

export function inputJson(
    input: string | readonly string[],
    dimensions = NATIVE_DIMENSIONS,
): string {
    const texts = typeof input === "string" ? [input] : input;
    return requestJson(texts, { encoding: "base64", dimensions });
}

function always(json: string): BodyOf {
    const bytes = Buffer.from(json);
    return () => bytes;
}

/** Replaces `NUMBER` in the template by the number of the request. */
function numbered(template: string): BodyOf {
    const bytes = Buffer.from(template);
    const places: number[] = [];
    for (let at = bytes.indexOf(NUMBER); at >= 0; at = bytes.indexOf(NUMBER, at + 1))
        places.push(at);
    return (turn) => {
        const digits = String(turn).padStart(NUMBER.length, "0");
        for (const place of places) bytes.write(digits, place, "latin1");
        return bytes;
    };
}

function post(host: string, headers: string, body: string): string {
    return (
        `POST /v1/embeddings HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${headers}` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
}
