/** Consumer of a request body. */
export interface BodySink {
    readonly onChunk: (chunk: Buffer) => void;
    readonly onEnd: () => void;
    /** The client disconnected before the end of the body. */
    readonly onAborted: () => void;
}

/** A request as handlers see it. */
export interface HttpRequest {
    readonly method?: string | undefined;
    readonly url?: string | undefined;
    /** Alternating names and values, as received. */
    readonly rawHeaders: readonly string[];
    /** The whole body if it arrived with the head, as small bodies do; otherwise it must be read. */
    readonly bufferedBody: () => Buffer | undefined;
    /** Passes the body to a sink; synchronously if it has already arrived. */
    readonly readInto: (sink: BodySink) => void;
    /** Discards the body. */
    readonly resume: () => unknown;
}

/** A body in pieces that are not copied. */
export type Body = readonly Buffer[];

/** The response to a request; it is sent once. */
export interface HttpResponse {
    readonly isSent: () => boolean;
    /**
     * @param headers alternating names and values
     * @param close asks the client to use another connection
     */
    readonly send: (status: number, headers: readonly string[], body: Body, close: boolean) => void;
    /** Closes the connection without a complete response. */
    readonly abort: () => void;
}

export type Handler = (request: HttpRequest, response: HttpResponse) => void;
