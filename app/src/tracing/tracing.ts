/** Span attributes by OpenTelemetry's semantic conventions. They never contain texts, vectors or keys. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A part of the work on a request, with a start and an end. */
export interface Span {
    readonly traceId: string;
    readonly child: (name: string) => Span;
    /** Ends the span; with an error it is marked as failed. */
    readonly end: (attributes?: Attributes, error?: unknown) => void;
    /** W3C trace context headers for an outgoing request. */
    readonly headers: () => Readonly<Record<string, string>>;
}

/** Distributed tracing. If disabled, it costs one call per request. */
export interface Tracing {
    /** @returns undefined if the request is not traced */
    readonly startSpan: (name: string, rawHeaders: readonly string[]) => Span | undefined;
    /** Flushes pending spans. */
    readonly close: () => Promise<void>;
}

export const noTracing: Tracing = {
    startSpan: () => undefined,
    close: () => Promise.resolve(),
};

/** Runs a part of a request's work in its own span, if the request is traced. */
export async function withSpan<T>(
    span: Span | undefined,
    name: string,
    run: (span: Span | undefined) => Promise<T>,
): Promise<T> {
    if (span === undefined) return run(undefined);
    const part = span.child(name);
    try {
        const value = await run(part);
        part.end();
        return value;
    } catch (error) {
        part.end(undefined, error);
        throw error;
    }
}
