import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { dayOf } from "../src/report/history.ts";
import { createPageApi, publishReport } from "../src/publish.ts";
import { usualReport } from "./support/reports.ts";

const TOKEN = "access-token-of-the-page";

interface Answer {
    readonly status: number;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
}

let server: Server;
let url: string;
let answers: Answer[];
let received: { call: string; authorization: string | undefined; body: string }[];

/** The page: it answers as configured, and 200 afterwards. */
beforeEach(async () => {
    received = [];
    answers = [];
    server = createServer((request, response) => {
        void text(request).then((body) => {
            const { method = "", url: path = "", headers } = request;
            received.push({
                call: `${method} ${path}`,
                authorization: headers.authorization,
                body,
            });
            const {
                status,
                body: answer = "{}",
                headers: more = {},
            } = answers.shift() ?? { status: 200 };
            response.writeHead(status, more).end(answer);
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
    server.close();
    server.closeAllConnections();
});

const report = usualReport();
const unknown = {
    ...report,
    completeness: { ...report.completeness, state: "not measured" as const },
};
const day = dayOf(report);
const options = () => ({ url: `${url}/`, token: TOKEN, retryMilliseconds: [1, 1, 1] });
const publish = (given: readonly Answer[], what = report) => {
    answers = [...given];
    return publishReport(what, options());
};

describe("a report", () => {
    test("is put at its day, with the token", async () => {
        expect(await publish([])).toBe(true);
        expect(received).toMatchObject([
            { call: `PUT /impact/api/reports/${day}`, authorization: `Bearer ${TOKEN}` },
        ]);
        expect(JSON.parse(received[0]?.body ?? "")).toEqual(report);
    });

    test.each([429, 500, 503])("is put again after a %i", async (status) => {
        await publish([{ status }, { status }, { status: 201 }]);
        expect(received).toHaveLength(3);
    });

    test("is put again after a lost connection, until the page is reachable", async () => {
        server.once("connection", (socket) => socket.destroy());
        await publish([]);
        expect(received).toHaveLength(1);
    });

    test.each([
        [
            { status: 401, body: "no" },
            "did not accept reports/DAY: status 401, no; allowed: the access token of the page",
        ],
        [
            { status: 400, body: '{"error":"window.to is missing"}' },
            "did not accept reports/DAY: status 400, window.to is missing",
        ],
        [{ status: 413, body: "" }, "did not accept reports/DAY: status 413"],
    ])("that is rejected is not put again: %j", async (answer, words) => {
        await expect(publish([answer])).rejects.toThrow(`${url} ${words.replace("DAY", day)}`);
        expect(received).toHaveLength(1);
    });

    test("that the page never accepts fails with the last reason, without the token", async () => {
        const status = 503;
        const publishing = publish(
            Array.from({ length: 4 }, () => ({ status, body: "<b>busy</b>" })),
        );
        const message = await publishing.then(
            () => "none",
            (error: unknown) => String(error),
        );
        expect(message).toContain(`did not accept reports/${day}: status 503, <b>busy</b>`);
        expect(message).not.toContain(TOKEN);
        expect(received).toHaveLength(4);
    });

    test("without figures replaces none with figures", async () => {
        expect(await publish([{ status: 200, body: JSON.stringify(report) }], unknown)).toBe(false);
        expect(received.map(({ call }) => call)).toEqual([`GET /impact/api/reports/${day}.json`]);
    });

    test.each([
        ["no report", { status: 404 }],
        ["another one without", { status: 200, body: JSON.stringify(unknown) }],
    ])("without figures is put where the day has %s", async (_, answer) => {
        expect(await publish([answer], unknown)).toBe(true);
        expect(received.map(({ call }) => call)).toEqual([
            `GET /impact/api/reports/${day}.json`,
            `PUT /impact/api/reports/${day}`,
        ]);
    });
});

test("another path of the API is read and written", async () => {
    answers = [{ status: 200, body: '{"decisions":[]}' }, { status: 404 }, { status: 200 }];
    const api = createPageApi(options());
    expect(await api.get("tuning")).toEqual({ decisions: [] });
    expect(await api.get("tuning")).toBeUndefined();
    await api.put("tuning", { decisions: [1] });
    expect(received.at(-1)).toMatchObject({
        call: "PUT /impact/api/tuning",
        body: '{"decisions":[1]}',
    });
});
