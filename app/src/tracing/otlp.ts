import {
    ROOT_CONTEXT,
    SpanKind,
    SpanStatusCode,
    trace,
    type Context,
    type Span as OtelSpan,
    type TextMapGetter,
    type Tracer,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
    BatchSpanProcessor,
    ParentBasedSampler,
    TracerProvider,
    TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";

import { getHeader } from "../http/headers.ts";
import type { Attributes, Span, Tracing } from "./tracing.ts";

export interface OtlpOptions {
    /** Base URL of the collector's OTLP/HTTP API, such as `http://collector:4318`. */
    readonly url: URL;
    /** Share of requests without a sampling decision of the client, in [0, 1]. */
    readonly share: number;
    /** Attributes of all spans. */
    readonly resource: Attributes;
}

const EXPORT_TIMEOUT_MILLISECONDS = 5_000;
const SERVICE = "embedding-service";

const propagator = new W3CTraceContextPropagator();
const fromRawHeaders: TextMapGetter<readonly string[]> = {
    keys: (rawHeaders) => rawHeaders.filter((_, index) => index % 2 === 0),
    get: (rawHeaders, name) => getHeader(rawHeaders, name),
};

/** Exports spans to an OpenTelemetry collector. Spans that the collector does not accept are dropped. */
export function createOtlpTracing({ url, share, resource }: OtlpOptions): Tracing {
    const exporter = new OTLPTraceExporter({
        url: new URL("v1/traces", withSlash(url)).href,
        timeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
    });
    const provider = new TracerProvider({
        resource: resourceFromAttributes({ "service.name": SERVICE, ...resource }),
        sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
        spanProcessors: [new BatchSpanProcessor({ exporter })],
    });
    const tracer = provider.getTracer(SERVICE);
    return {
        startSpan: (name, rawHeaders) => {
            const parent = propagator.extract(ROOT_CONTEXT, rawHeaders, fromRawHeaders);
            const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
            return span.isRecording() ? wrapSpan(tracer, span, parent) : undefined;
        },
        close: async () => {
            await provider.shutdown().catch(() => undefined);
        },
    };
}

function wrapSpan(tracer: Tracer, span: OtelSpan, parent: Context): Span {
    const context = trace.setSpan(parent, span);
    return {
        traceId: span.spanContext().traceId,
        child: (name) => wrapSpan(tracer, tracer.startSpan(name, {}, context), context),
        end: (attributes, error) => {
            if (attributes) span.setAttributes(attributes);
            if (error !== undefined) {
                // Not the message: upstreams may quote the input.
                span.setAttribute("error.type", typeOf(error));
                span.setStatus({ code: SpanStatusCode.ERROR });
            }
            span.end();
        },
        headers: () => {
            const headers: Record<string, string> = {};
            propagator.inject(context, headers, {
                set: (carrier: Record<string, string>, name, value) => {
                    carrier[name] = value;
                },
            });
            return headers;
        },
    };
}

function typeOf(error: unknown): string {
    if (!(error instanceof Error)) return "unknown";
    const { code } = error as { code?: unknown };
    return typeof code === "string" ? code : error.name;
}

function withSlash(url: URL): string {
    return url.href.endsWith("/") ? url.href : `${url.href}/`;
}
