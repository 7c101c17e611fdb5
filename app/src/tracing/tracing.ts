/** Facts about a span by OpenTelemetry's semantic conventions. Texts, vectors, keys never are. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A part of the work on a request, with a beginning and an end. */
export interface Span {
    readonly traceId: string;
    readonly child: (name: string) => Span;
    /** Ends it; with an error it counts as failed. */
    readonly end: (attributes?: Attributes, error?: unknown) => void;
    /** W3C trace context for a request that this span sends. */
    readonly headers: () => Readonly<Record<string, string>>;
}

/** Distributed tracing: off, it costs one call a request. */
export interface Tracing {
    /** @returns undefined for a request that is not traced. */
    readonly begin: (name: string, rawHeaders: readonly string[]) => Span | undefined;
    /** Sends what is left. */
    readonly close: () => Promise<void>;
}

export const noTracing: Tracing = {
    begin: () => undefined,
    close: () => Promise.resolve(),
};

/** Runs a part of a request's work as a span of its own, where the request is traced. */
export async function traced<T>(
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
