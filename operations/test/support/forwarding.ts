import type { Cluster } from "../../cluster/connect.ts";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { listen } from "./listen.ts";

export interface Forwarding {
    readonly cluster: Cluster;
    /** Pods of the Service, as the API server lists them. */
    pods: object[];
    service: object;
    /** Bytes in the pod's error channel after a connection is established. */
    refusal: string | undefined;
    /** Reaction of the API server to a connection: it accepts, rejects or ignores it. */
    meets: "open" | "forbidden" | "silent";
    /** Raw response of a pod; empty: none. */
    answer: string;
    /** `pod:port request line` of each request. */
    readonly requests: string[];
    /** Open connections. */
    readonly open: Set<Duplex>;
    readonly close: () => void;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PATH = /\/pods\/([^/]+)\/portforward\?ports=(\d+)/;

/** The parts of an API server that port-forward needs: a Service, its pods and their WebSockets. */
export async function startForwarding(): Promise<Forwarding> {
    const server = createServer(({ url = "" }, response) => {
        response.setHeader("content-type", "application/json");
        const kinds = ["Service", "Pod"].map((kind) => ({
            name: `${kind.toLowerCase()}s`,
            kind,
            namespaced: true,
        }));
        if (url === "/api/v1") response.end(JSON.stringify({ resources: kinds }));
        else if (/\/pods\/[^/?]+$/.test(url)) response.end(JSON.stringify(state.pods[0]));
        else if (url.includes("/services/")) response.end(JSON.stringify(state.service));
        else response.end(JSON.stringify({ items: state.pods }));
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
        const [, pod = "", port = ""] = PATH.exec(request.url ?? "") ?? [];
        state.open.add(socket);
        socket.on("close", () => state.open.delete(socket)).on("error", () => socket.destroy());
        if (state.meets === "silent") return;
        if (state.meets === "forbidden") {
            socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        accept(request, socket);
        const number = Buffer.alloc(2);
        number.writeUInt16LE(Number(port));
        for (const channel of [0, 1]) send(socket, channel, number);
        if (state.refusal !== undefined) send(socket, 1, Buffer.from(state.refusal));
        received(socket, (text) => {
            state.requests.push(`${pod}:${port} ${text.split("\r\n")[0] ?? ""}`);
            if (state.answer !== "") send(socket, 0, Buffer.from(state.answer));
        });
    });
    const { cluster } = await listen(server);
    const state: Forwarding = {
        cluster,
        pods: [],
        service: {},
        refusal: undefined,
        meets: "open",
        answer: "",
        requests: [],
        open: new Set(),
        close: () => {
            for (const socket of state.open) socket.destroy();
            server.close();
            server.closeAllConnections();
        },
    };
    return state;
}

function accept({ headers }: IncomingMessage, socket: Duplex): void {
    const key = createHash("sha1").update(`${headers["sec-websocket-key"] ?? ""}${GUID}`);
    const lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Protocol: v4.channel.k8s.io",
        `Sec-WebSocket-Accept: ${key.digest("base64")}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}

/** One binary frame of less than 64 KiB on a channel (RFC 6455, 5.2). */
function send(socket: Duplex, channel: number, data: Buffer): void {
    const header = Buffer.from([0x82, 126, 0, 0, channel]);
    header.writeUInt16BE(data.length + 1, 2);
    socket.write(Buffer.concat([header, data]));
}

/** Texts of the first channel's frames; a close ends the connection. Requests of the tests are one short frame each. */
function received(socket: Duplex, onText: (text: string) => void): void {
    socket.on("data", (frame: Buffer) => {
        if ((frame.readUInt8(0) & 0x0f) === 8) {
            socket.end();
            return;
        }
        const short = frame.readUInt8(1) & 0x7f;
        const start = short === 126 ? 4 : 2;
        const mask = frame.subarray(start, start + 4);
        const masked = frame.subarray(start + 4);
        const data = masked.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
        onText(Buffer.from(data).toString("utf8", 1));
    });
}
