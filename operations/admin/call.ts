import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ADMIN_PREFIX, invalidValue } from "@property-search/contract";
import { ClusterError } from "../cluster/connect.ts";
import type { AdminTarget } from "./target.ts";

/** A request to the admin port. */
export interface AdminCall {
    /** Such as `GET /hot-keys?limit=5`; the port's OpenAPI document lists the paths. */
    readonly command: string;
    /** A JSON body. */
    readonly data?: string | undefined;
    /** File with the body; `-` for standard input. */
    readonly input?: string | undefined;
    /** File for the response, which gets its name when it is complete. Default: standard output */
    readonly output?: string | undefined;
    readonly signal?: AbortSignal | undefined;
}

const COMMAND = /^(GET|POST|PUT|DELETE) (\/\S+)$/;
const UPLOAD = "application/x-ndjson";

/**
 * Sends one request and writes its response. Bodies of any size are streamed.
 *
 * @throws ClusterError with the service's error message
 */
export async function callAdmin(
    { url, token }: AdminTarget,
    { command, data, input, output, signal }: AdminCall,
): Promise<void> {
    const { method, path } = readCommand(command);
    const type = input === undefined ? "application/json" : uploadType(input);
    const withBody = data !== undefined || input !== undefined;
    // Not fetch, whose header timeout is five minutes: an import responds at its end.
    const outgoing = request(`${url}${ADMIN_PREFIX}${path}`, {
        method,
        headers: {
            authorization: `Bearer ${token}`,
            ...(withBody && { "content-type": type }),
        },
        ...(signal && { signal }),
    });
    const [answer] = await Promise.all([
        waitForResponse(outgoing, url),
        send(outgoing, data, input),
    ]);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300) throw new ClusterError(describeError(statusCode, await text(answer)));
    if (output !== undefined) await writeToFile(answer, output);
    else if (headers["content-type"]?.startsWith("application/json")) {
        console.log(JSON.stringify(JSON.parse(await text(answer)), undefined, 2));
    } else await pipeline(answer, process.stdout, { end: false });
}

/** Parses a command. @throws UserError for an invalid one */
export function readCommand(command: string): { readonly method: string; readonly path: string } {
    const [, method, path] = COMMAND.exec(command.trim()) ?? [];
    if (method !== undefined && path !== undefined) return { method, path };
    throw invalidValue("CMD", command, 'GET, POST, PUT or DELETE and a path, such as "GET /state"');
}

/** @returns one line per path of the admin port's OpenAPI document */
export async function listCommands({ url, token }: AdminTarget): Promise<readonly string[]> {
    const response = await fetch(`${url}${ADMIN_PREFIX}/openapi.json`, {
        headers: { authorization: `Bearer ${token}` },
    });
    const body = await response.text();
    if (response.status !== 200) throw new ClusterError(describeError(response.status, body));
    const { paths } = JSON.parse(body) as {
        paths: Record<string, Record<string, { summary?: string }>>;
    };
    return Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { summary = "" }]) => {
            const command = `${method.toUpperCase()} ${path.replace(ADMIN_PREFIX, "")}`;
            return `${command.padEnd(28)} ${summary}`;
        }),
    );
}

async function waitForResponse(asking: ClientRequest, url: string): Promise<IncomingMessage> {
    try {
        const [answer] = (await once(asking, "response")) as [IncomingMessage];
        return answer;
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ClusterError(`${url} does not answer: ${reason}`);
    }
}

async function send(asking: ClientRequest, data?: string, input?: string): Promise<void> {
    if (input === undefined) {
        asking.end(data);
        return;
    }
    const source = input === "-" ? process.stdin : createReadStream(input);
    try {
        await pipeline(source, asking);
    } catch (error) {
        // An error response ends the upload early.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") return;
        asking.destroy();
        throw new ClusterError(`IN is "${input}", which does not exist`);
    }
}

function uploadType(input: string): string {
    if (input.endsWith(".txt")) return "text/plain";
    return input.endsWith(".json") ? "application/json" : UPLOAD;
}

async function writeToFile(answer: IncomingMessage, output: string): Promise<void> {
    const part = `${output}.part`;
    try {
        await pipeline(answer, createWriteStream(part));
    } catch {
        throw new ClusterError(`the response is truncated; the received part is in ${part}`);
    }
    await rename(part, output);
    console.log(`Written to ${output}`);
}

function describeError(status: number, body: string): string {
    try {
        const { error } = JSON.parse(body) as { error: { message: string } };
        return `the admin port responded with ${status}: ${error.message}`;
    } catch {
        return `the admin port responded with ${status}: ${body.slice(0, 300)}`;
    }
}
