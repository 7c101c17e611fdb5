import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { Handler } from "../protocol/exchange.ts";
import {
    FastConnection,
    ignore,
    MAX_READ_SECONDS,
    type FastPathState,
    type RejectionCode,
} from "./fastConnection.ts";

/**
 * The fast path serves plain requests, which are nearly all, directly on the socket. At the first request
 * that is not plain, it hands the connection with all bytes read to node:http. Per request, node:http takes
 * three times as long as the kernel (docs/service/performance.md), and a hit needs little else.
 */
export interface FastPath {
    readonly accept: (socket: Socket) => void;
    /** Closes idle connections now, and the others after their response. */
    readonly close: () => void;
    /** Closes all remaining connections. */
    readonly destroyAll: () => void;
}

export interface FastPathOptions {
    readonly serve: Handler;
    /** Takes over a paused connection, with the bytes that were read and not handled. */
    readonly handOff: (socket: Socket, read: Buffer) => void;
    /** Formats the response to an incomplete request; node:http creates its own. */
    readonly formatError: (code: RejectionCode) => string;
    readonly keepAliveSeconds: number;
    /** Timeouts of a head, from its first byte, and of a body, from the end of the head. */
    readonly headersTimeoutSeconds: number;
    readonly requestTimeoutSeconds: number;
    /** Including the connections handed to node:http. */
    readonly maxConnections: number;
    /** Closes connections of node:http without a request. */
    readonly closeIdle: () => void;
}

/** Progress of a connection that was handed to node:http. */
interface Progress {
    bytes: number;
    since: number;
}

export function createFastPath(options: FastPathOptions): FastPath {
    const { formatError, keepAliveSeconds, requestTimeoutSeconds } = options;
    const { maxConnections, closeIdle } = options;
    const connections = new Set<FastConnection>();
    const handedOff = new Map<Socket, Progress>();
    let date = "";
    const state: FastPathState = {
        ...options,
        now: 0,
        isClosing: false,
        connections,
        keepAlive: `connection: keep-alive\r\nkeep-alive: timeout=${keepAliveSeconds}\r\n\r\n`,
        formatStatusLine: (status) => {
            date ||= `date: ${new Date().toUTCString()}\r\n`;
            return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${date}`;
        },
        handOff: (socket, bytes) => {
            handedOff.set(socket, { bytes: 0, since: state.now });
            socket.once("close", () => handedOff.delete(socket));
            options.handOff(socket, bytes);
        },
    };

    const clock = setInterval(() => {
        state.now += 1;
        date = "";
        for (const connection of connections) connection.checkTimeouts();
        for (const [socket, progress] of handedOff) closeIfStalled(socket, progress);
        if (state.isClosing) closeIdle();
    }, 1000).unref();

    /** node:http has no timeout for clients that do not read, or that do not disconnect after an error. */
    function closeIfStalled(socket: Socket, progress: Progress): void {
        const isFinished = socket.writableFinished;
        const bytes = isFinished ? -1 : socket.bytesRead + socket.bytesWritten;
        if (bytes !== progress.bytes) Object.assign(progress, { bytes, since: state.now });
        const maxSeconds = isFinished
            ? state.isClosing
                ? 0
                : requestTimeoutSeconds
            : MAX_READ_SECONDS;
        if (state.now - progress.since > maxSeconds) socket.destroy();
    }

    /**
     * Closes a finished connection, or the one that has been idle longest, if there are too many.
     *
     * @returns whether another connection may be accepted
     */
    function closeOneIfFull(): boolean {
        if (connections.size + handedOff.size < maxConnections) return true;
        for (const socket of handedOff.keys()) {
            if (!socket.writableFinished) continue;
            handedOff.delete(socket);
            socket.destroy();
            return true;
        }
        let longestIdle: FastConnection | undefined;
        let since = Infinity;
        for (const connection of connections) {
            const idleSince = connection.idleSince() ?? Infinity;
            if (idleSince >= since) continue;
            since = idleSince;
            longestIdle = connection;
        }
        if (longestIdle) {
            connections.delete(longestIdle);
            longestIdle.destroy();
        } else closeIdle();
        return longestIdle !== undefined;
    }

    return {
        accept: (socket) => {
            if (closeOneIfFull()) {
                new FastConnection(socket, state);
                return;
            }
            socket.on("error", ignore);
            socket.end(formatError("ERR_TOO_MANY_CONNECTIONS"), () => socket.destroy());
        },
        close: () => {
            state.isClosing = true;
            for (const connection of connections) connection.closeIfIdle();
        },
        destroyAll: () => {
            clearInterval(clock);
            for (const connection of connections) connection.destroy();
            for (const socket of handedOff.keys()) socket.destroy();
        },
    };
}
