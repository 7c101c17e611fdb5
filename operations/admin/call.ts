import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ADMIN_PREFIX, invalidValue } from "@property-search/contract";
import { ClusterError } from "../cluster/connect.ts";
import type { AdminTarget } from "./target.ts";

/** What an operator asks of the admin port. */
export interface AdminCall {
    /** Such as `GET /hot-keys?limit=5`; paths are those of the port's own description. */
    readonly command: string;
    /** A JSON body. */
    readonly data?: string | undefined;
    /** A file that is sent as the body; `-` for standard input. */
    readonly input?: string | undefined;
    /** A file for the answer; it appears when it is whole. Default: standard output. */
    readonly output?: string | undefined;
    readonly signal?: AbortSignal | undefined;
}

const COMMAND = /^(GET|POST|PUT|DELETE) (\/\S+)$/;
const UPLOAD = "application/x-ndjson";

/**
 * Sends one request and writes its answer. Bodies of any size pass through.
 *
 * @throws ClusterError with the service's own sentence for a refusal
 */
export async function callAdmin(
    { url, token }: AdminTarget,
    { command, data, input, output, signal }: AdminCall,
): Promise<void> {
    const { method, path } = readCommand(command);
    const type = input === undefined ? "application/json" : uploadType(input);
    const withBody = data !== undefined || input !== undefined;
    // Not fetch, which gives up when headers take five minutes: an import answers at its end.
    const asking = request(`${url}${ADMIN_PREFIX}${path}`, {
        method,
        headers: {
            authorization: `Bearer ${token}`,
            ...(withBody && { "content-type": type }),
        },
        ...(signal && { signal }),
    });
    const [answer] = await Promise.all([answerOf(asking, url), send(asking, data, input)]);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300) throw new ClusterError(refusalOf(statusCode, await text(answer)));
    if (output !== undefined) await toFile(answer, output);
    else if (headers["content-type"]?.startsWith("application/json")) {
        console.log(JSON.stringify(JSON.parse(await text(answer)), undefined, 2));
    } else await pipeline(answer, process.stdout, { end: false });
}

/** Takes a command apart. @throws UserError for what is none */
export function readCommand(command: string): { readonly method: string; readonly path: string } {
    const [, method, path] = COMMAND.exec(command.trim()) ?? [];
    if (method !== undefined && path !== undefined) return { method, path };
    throw invalidValue("CMD", command, 'GET, POST, PUT or DELETE and a path, such as "GET /state"');
}

/** @returns one line for each path, as the admin port describes itself */
export async function listCommands({ url, token }: AdminTarget): Promise<readonly string[]> {
    const response = await fetch(`${url}${ADMIN_PREFIX}/openapi.json`, {
        headers: { authorization: `Bearer ${token}` },
    });
    const body = await response.text();
    if (response.status !== 200) throw new ClusterError(refusalOf(response.status, body));
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

async function answerOf(asking: ClientRequest, url: string): Promise<IncomingMessage> {
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
        // A refusal ends the upload early, and tells why.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") return;
        asking.destroy();
        throw new ClusterError(`IN is "${input}", which is not there`);
    }
}

function uploadType(input: string): string {
    if (input.endsWith(".txt")) return "text/plain";
    return input.endsWith(".json") ? "application/json" : UPLOAD;
}

async function toFile(answer: IncomingMessage, output: string): Promise<void> {
    const part = `${output}.part`;
    try {
        await pipeline(answer, createWriteStream(part));
    } catch {
        throw new ClusterError(`the answer was cut off; what came is in ${part}`);
    }
    await rename(part, output);
    console.log(`Written to ${output}`);
}

function refusalOf(status: number, body: string): string {
    try {
        const { error } = JSON.parse(body) as { error: { message: string } };
        return `the admin port answered ${status}: ${error.message}`;
    } catch {
        return `the admin port answered ${status}: ${body.slice(0, 300)}`;
    }
}
