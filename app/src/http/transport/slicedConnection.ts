import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** node:http makes one call per chunk of a body: 64 KiB of minimal chunks would take it 20 ms. */
const SLICE_BYTES = 4 * 1024;
/** Several slices fit into one turn if they are parsed quickly, such as a body in one piece. */
const TURN_MILLISECONDS = 0.5;
const NOTHING = Buffer.alloc(0);

type Written = (error?: Error | null) => void;
interface Piece {
    readonly chunk: Buffer | string;
    readonly encoding: BufferEncoding;
}

/**
 * A connection that delivers its data in slices and yields to the event loop in between. node:http accepts
 * any stream as a connection, and needs only these two methods of a socket.
 */
export class SlicedConnection extends Duplex {
    readonly #socket: Socket;
    #rest: Buffer = NOTHING;
    #hasEnded = false;

    constructor(socket: Socket) {
        super({ allowHalfOpen: true, decodeStrings: false, readableHighWaterMark: SLICE_BYTES });
        this.#socket = socket;
        socket.on("data", (chunk: Buffer) => {
            socket.pause();
            this.#rest = chunk;
            this.#give();
        });
        // A paused socket emits it before the rest has been delivered.
        socket.on("end", () => {
            this.#hasEnded = true;
            if (this.#rest.length === 0) this.push(null);
        });
        socket.on("timeout", () => this.emit("timeout"));
        socket.on("error", (error) => this.destroy(error));
        socket.on("close", () => this.destroy());
    }

    #give(): void {
        const start = performance.now();
        let isWanted = true;
        while (isWanted && this.#rest.length > 0) {
            const slice = this.#rest.subarray(0, SLICE_BYTES);
            this.#rest = this.#rest.subarray(slice.length);
            isWanted = this.push(slice) && performance.now() - start < TURN_MILLISECONDS;
        }
        if (this.#hasEnded && this.#rest.length === 0) this.push(null);
    }

    override _read(): void {
        if (this.#rest.length === 0) this.#socket.resume();
        else setImmediate(() => this.#give());
    }

    override _write(chunk: Buffer | string, encoding: BufferEncoding, onWritten: Written): void {
        this.#socket.write(chunk, encoding, onWritten);
    }

    /** Corked data is sent in one system call. */
    override _writev(pieces: readonly Piece[], onWritten: Written): void {
        this.#socket.cork();
        pieces.forEach(({ chunk, encoding }, at) => {
            if (at < pieces.length - 1) this.#socket.write(chunk, encoding);
            else this.#socket.write(chunk, encoding, onWritten);
        });
        this.#socket.uncork();
    }

    override _final(onEnded: Written): void {
        this.#socket.end(() => onEnded());
    }

    override _destroy(error: Error | null, onDestroyed: Written): void {
        this.#socket.destroy();
        onDestroyed(error);
    }

    setTimeout(milliseconds: number): this {
        this.#socket.setTimeout(milliseconds);
        return this;
    }

    destroySoon(): void {
        if (this.writable) this.end();
        if (this.writableFinished) this.destroy();
        else this.once("finish", () => this.destroy());
    }
}
