import { HEADERS, isColour, PATHS } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { request as requestSecurely } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates } from "node:tls";
import { Pool, type Dispatcher } from "undici";
import { SLOW_SECONDS, type Second, type Sending } from "./sending.ts";

/*
 * The clients of a switch, as a process: `sender.ts SENDING`, with JSON. They never retry. It reports the results of
 * each second by IPC, and ends at its limits, at the message "stop", or when the parent disconnects.
 */

const sending = JSON.parse(process.argv[2] ?? "{}") as Sending;
const { url, perSecond, known, unknown, lateMilliseconds } = sending;

const TICK_MILLISECONDS = 10;
const TIMEOUT_MILLISECONDS = 20_000;
/** More than that wait for nothing but a platform that has broken down; arrivals then wait too. */
const MOST_OPEN = 2_000;
const AT_FIRST = 4;
const headersSent = { "content-type": "application/json", ...sending.headers };

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
interface Counts extends Omit<Writable<Second>, "answered" | "late" | "failures"> {
    readonly answered: Writable<Second["answered"]>;
    readonly late: Writable<Second["late"]>;
    readonly failures: Record<string, number>;
}

const run = randomUUID();
const { endpoint } = sending;
/** The host's name is the URL's, whatever its address: TLS and HTTP name it. */
const toEndpoint = endpoint && {
    lookup: ((_, { all }, found) => {
        const { host: address } = endpoint;
        if (all) found(null, [{ address, family: isIP(address) }]);
        else found(null, address, isIP(address));
    }) as LookupFunction,
    ...(endpoint.ca !== undefined && { ca: [...getCACertificates("default"), endpoint.ca] }),
};
const kept = new Pool(url, {
    ...(toEndpoint && { connect: toEndpoint }),
    connections: 96,
    pipelining: 1,
    headersTimeout: TIMEOUT_MILLISECONDS,
    bodyTimeout: TIMEOUT_MILLISECONDS,
});
const fresh = new Pool(url, {
    ...(toEndpoint && { connect: toEndpoint }),
    connections: 64,
    pipelining: 1,
    headersTimeout: TIMEOUT_MILLISECONDS,
    bodyTimeout: TIMEOUT_MILLISECONDS,
});
const texts = Array.from({ length: known }, (_, at) => textOf(at));

let counts = newSecond();
let sent = 0;
let open = 0;
let stopped = false;

process.on("message", () => (stopped = true));
process.on("disconnect", () => process.exit(0));

await sendEachOnce();
tell();
await sendAll();
process.disconnect();

/** An empty cache would request all texts from the upstream at the same time. */
async function sendEachOnce(): Promise<void> {
    while (sent < known) {
        if (open < AT_FIRST) send("kept", performance.now());
        else await delay(1);
    }
    while (open > 0) await delay(1);
}

async function sendAll(): Promise<void> {
    const { maxSeconds, maxRequests } = sending;
    const begun = performance.now();
    const due = { kept: 0, fresh: 0, slow: 0 };
    const seconds = setInterval(tell, 1000);
    while (!stopped && sent < maxRequests) {
        const elapsed = performance.now() - begun;
        if (elapsed > maxSeconds * 1000) break;
        for (const kind of ["kept", "fresh", "slow"] as const) {
            const wanted = Math.floor((elapsed * perSecond[kind]) / 1000);
            for (; due[kind] < wanted && open < MOST_OPEN; due[kind] += 1) {
                // From when it was due: a client's wait for a connection is part of its answer's time.
                send(kind, begun + (due[kind] * 1000) / perSecond[kind]);
            }
        }
        await delay(TICK_MILLISECONDS);
    }
    while (open > 0) await delay(TICK_MILLISECONDS);
    clearInterval(seconds);
    tell();
    await Promise.all([kept.destroy(), fresh.destroy()]);
}

function send(kind: keyof Sending["perSecond"], due: number): void {
    sent += 1;
    open += 1;
    counts.sent += 1;
    const isNew = Math.random() < unknown;
    const body = isNew ? textOf(randomUUID()) : (texts[sent % known] ?? "");
    if (kind === "slow") sendSlowly(body, due);
    else {
        const pool = kind === "kept" ? kept : fresh;
        const options = { path: PATHS.embed, method: "POST", headers: headersSent, body } as const;
        pool.dispatch({ ...options, reset: kind === "fresh" }, handler(due));
    }
}

function handler(due: number): Dispatcher.DispatchHandler {
    let status = 0;
    let by: unknown;
    let bytes = 0;
    return {
        onRequestStart: () => undefined,
        onResponseStart: (_, statusCode, headers) => {
            status = statusCode;
            by = headers[HEADERS.servedBy];
        },
        onResponseData: (_, chunk) => {
            bytes += chunk.length;
        },
        onResponseEnd: () => ended(due, status, by, bytes),
        onResponseError: (_, error) => failed(reasonOf(error)),
    };
}

/** Half of the body now and the rest after a while, as by a bad line. */
function sendSlowly(body: string, due: number): void {
    const middle = Math.floor(body.length / 2);
    const headers = { ...headersSent, "content-length": body.length };
    const options = { method: "POST", headers, agent: false, ...toEndpoint } as const;
    let isOver = false;
    const once = (over: () => void): void => {
        if (!isOver) over();
        isOver = true;
    };
    const begin = url.startsWith("https:") ? requestSecurely : request;
    const asking = begin(new URL(PATHS.embed, url), options, (response) => {
        let bytes = 0;
        response.on("data", (chunk: Buffer) => (bytes += chunk.length));
        response.on("error", (error) => once(() => failed(`slow: cut off: ${reasonOf(error)}`)));
        response.on("end", () =>
            once(() => {
                const { statusCode = 0 } = response;
                if (statusCode === 200) counts.slow += 1;
                const by = response.headers[HEADERS.servedBy];
                ended(due + SLOW_SECONDS * 1000, statusCode, by, bytes);
            }),
        );
    });
    asking.setTimeout(TIMEOUT_MILLISECONDS, () => asking.destroy(new Error("timed out")));
    asking.on("error", (error) => once(() => failed(`slow: ${reasonOf(error)}`)));
    asking.write(body.slice(0, middle));
    setTimeout(() => {
        if (!isOver) asking.end(body.slice(middle));
    }, SLOW_SECONDS * 1000);
}

function ended(due: number, status: number, by: unknown, bytes: number): void {
    if (status !== 200 || !isColour(by) || bytes === 0) {
        failed(`status ${status} of ${String(by)}${bytes === 0 ? " without a body" : ""}`);
        return;
    }
    open -= 1;
    const took = performance.now() - due;
    counts.answered[by] += 1;
    if (took > lateMilliseconds) counts.late[by] += 1;
    counts.worstMilliseconds = Math.max(counts.worstMilliseconds, Math.round(took));
}

function failed(reason: string): void {
    open -= 1;
    counts.failures[reason] = (counts.failures[reason] ?? 0) + 1;
}

function tell(): void {
    process.send?.(counts);
    counts = newSecond();
}

function newSecond(): Counts {
    return {
        at: Math.floor(Date.now() / 1000),
        sent: 0,
        answered: { blue: 0, green: 0 },
        late: { blue: 0, green: 0 },
        slow: 0,
        failures: {},
        worstMilliseconds: 0,
    };
}

function textOf(what: string | number): string {
    const text = `Listing ${what} of ${run}: two rooms, a garden and a view of the river`;
    return JSON.stringify({ text });
}

function reasonOf(error: Error): string {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? error.message : `${code}: ${error.message}`;
}
