import { once } from "node:events";
import { connect, type AddressInfo, type Server } from "node:net";
import type { Handler } from "../../src/http/protocol/exchange.ts";

/** Echoes the request, immediately or a turn later, with or without reading the body. */
export const echo: Handler = (request, response) => {
    const { method, url, rawHeaders } = request;
    const answer = (status: number, body: Buffer): void => {
        const text = JSON.stringify({ method, url, rawHeaders, body: body.toString("base64") });
        const bytes = Buffer.from(text);
        response.send(status, ["content-length", String(bytes.length)], [bytes], false);
    };
    if (url === "/refuse") {
        request.resume();
        answer(401, Buffer.alloc(0));
        return;
    }
    const chunks: Buffer[] = [];
    request.readInto({
        onChunk: (chunk) => chunks.push(chunk),
        onEnd: () => {
            const body = Buffer.concat(chunks);
            if (url === "/later") setImmediate(() => answer(200, body));
            else answer(200, body);
        },
        onAborted: () => undefined,
    });
};

export async function listen(server: Server): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
}

/** Sends pieces, one per turn, ends, and returns the whole response. */
export async function converse(port: number, pieces: readonly Buffer[]): Promise<string> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    // A server that has rejected a request may close while the rest is in transit.
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    for (const piece of pieces) {
        if (!socket.write(piece)) await Promise.race([once(socket, "drain"), closed]);
        await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await closed;
    return Buffer.concat(received).toString("latin1");
}

export interface ReceivedResponse {
    readonly status: string;
    readonly body: string;
}

/** The responses that a client would read, up to an error for invalid HTTP, whose text may differ. */
export function parseResponses(text: string): readonly ReceivedResponse[] {
    const found: ReceivedResponse[] = [];
    let rest = text;
    while (rest !== "") {
        const end = rest.indexOf("\r\n\r\n");
        const head = rest.slice(0, end);
        const status = head.slice(9, 12);
        if (Number(status) >= 400 && status !== "401") return [...found, { status, body: "" }];
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        found.push({ status, body: rest.slice(end + 4, end + 4 + length) });
        rest = rest.slice(end + 4 + length);
    }
    return found;
}
