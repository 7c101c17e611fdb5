import { UserError } from "@property-search/contract";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A request of a trace; a trace is a file with one as JSON per line. */
export interface TraceEntry {
    /** Milliseconds from the start; absent: as soon as its user has the previous answer. */
    readonly at?: number;
    /** Number of its user, from 0. A user has one connection and one open request at a time. */
    readonly user: number;
    /** host:port of another server than the target. */
    readonly server?: string;
    /** Name under which it is counted. */
    readonly route: string;
    /** Default: POST */
    readonly method?: string;
    readonly path: string;
    /** JSON. */
    readonly body?: string;
}

export interface TraceSize {
    readonly requests: number;
    readonly users: number;
    /** When the last request is due, in seconds; 0 for a closed loop. */
    readonly seconds: number;
}

/** Writes a trace without holding it in memory. */
export async function writeTrace(file: string, entries: Iterable<TraceEntry>): Promise<TraceSize> {
    let [requests, last] = [0, 0];
    const users = new Set<number>();
    function* lines(): Generator<string> {
        for (const entry of entries) {
            requests += 1;
            users.add(entry.user);
            last = Math.max(last, entry.at ?? 0);
            yield `${JSON.stringify(entry)}\n`;
        }
    }
    await pipeline(Readable.from(lines()), createWriteStream(file));
    return { requests, users: users.size, seconds: last / 1000 };
}

/** Users of a recorded trace that names none: each request has its own connection while they are fewer. */
const RECORDED_USERS = 1000;

/**
 * Reads a recorded trace: `at` and `path` are required; `user` defaults to one of 1,000 in turn, `route` to the path.
 *
 * @throws UserError with the line that is invalid
 */
export async function readTrace(file: string): Promise<TraceEntry[]> {
    const entries: TraceEntry[] = [];
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
    try {
        for await (const line of lines) {
            if (line.trim() === "") continue;
            entries.push(parseLine(line, `${file}, line ${entries.length + 1}`, entries.length));
        }
    } catch (error) {
        if (error instanceof UserError) throw error;
        throw new UserError(`TRACE is "${file}", which cannot be read: ${String(error)}`);
    }
    if (entries.length === 0) throw new UserError(`TRACE is "${file}", which has no requests`);
    return entries;
}

function parseLine(line: string, where: string, number: number): TraceEntry {
    let read: Partial<TraceEntry> | null;
    try {
        read = JSON.parse(line) as Partial<TraceEntry> | null;
    } catch {
        throw new UserError(`${where} is not JSON`);
    }
    if (typeof read !== "object" || read === null || Array.isArray(read)) {
        throw new UserError(`${where} is not a JSON object`);
    }
    const { at, path, user = number % RECORDED_USERS, route = path, method, body } = read;
    const fail = (field: string, value: unknown, allowed: string) =>
        new UserError(`${where}: ${field} is ${JSON.stringify(value)}; allowed: ${allowed}`);
    if (typeof at !== "number" || !(at >= 0)) throw fail("at", at, "milliseconds from the start");
    if (typeof path !== "string" || !/^\/\S*$/.test(path)) throw fail("path", path, "/…");
    if (!Number.isInteger(user) || user < 0) throw fail("user", user, "an integer from 0");
    if (route !== undefined && (typeof route !== "string" || route === "")) {
        throw fail("route", route, "a name");
    }
    if (method !== undefined && !(typeof method === "string" && /^[A-Z]+$/.test(method)))
        throw fail("method", method, "GET, POST");
    if (body !== undefined && typeof body !== "string")
        throw fail("body", body, "a string, which is sent as it is");
    return {
        at,
        user,
        route: route ?? path,
        path,
        ...(method !== undefined && { method }),
        ...(body !== undefined && { body }),
    };
}
