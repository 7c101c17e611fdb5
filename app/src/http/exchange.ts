/** Takes a body as it comes in. */
export interface BodySink {
    readonly chunk: (chunk: Buffer) => void;
    readonly end: () => void;
    /** The client left in the middle of its body. */
    readonly gone: () => void;
}

/** A request as handlers take it. */
export interface HttpRequest {
    readonly method?: string | undefined;
    readonly url?: string | undefined;
    /** Names and values in turn, as they came. */
    readonly rawHeaders: readonly string[];
    /** The whole body where it came with the head, as small ones do; otherwise it is still to be read. */
    readonly whole: () => Buffer | undefined;
    /** Gives the body to a sink; all of it before this returns, where it is there already. */
    readonly readInto: (sink: BodySink) => void;
    /** Throws the body away. */
    readonly resume: () => unknown;
}

/** A body in pieces that are not copied on their way out. */
export type Body = readonly Buffer[];

/** A request's answer, which is sent once. */
export interface HttpResponse {
    readonly sent: () => boolean;
    /**
     * @param headers names and values in turn
     * @param close asks the client to come back on another connection
     */
    readonly send: (status: number, headers: readonly string[], body: Body, close: boolean) => void;
    /** Leaves the client without an answer, or in the middle of one. */
    readonly abort: () => void;
}

export type Handler = (request: HttpRequest, response: HttpResponse) => void;
