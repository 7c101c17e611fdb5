import { expect, test } from "@jest/globals";
import { pino } from "pino";

import {
    createEmbeddingsHandler,
    type EmbeddingsDependencies,
} from "../../src/http/handler/embeddings.ts";
import type { HttpRequest, HttpResponse } from "../../src/http/protocol/exchange.ts";
import { HttpError } from "../../src/http/protocol/error.ts";
import { createByteBudget } from "../../src/memory/byteBudget.ts";
import { eventually } from "../support/eventually.ts";

test("Requests that wait for their turn are rejected if their bodies exceed the budget of all", async () => {
    const statuses: number[] = [];
    const ignore = (): void => undefined;
    const budget = createByteBudget(1_000);
    const dependencies = {
        authenticator: {
            admit: () => ({ tenant: { id: "a", pool: "a" }, headers: [], release: ignore }),
        },
        keysOf: () => () => "key",
        metrics: { onRequestStart: ignore, onRequestEnd: ignore, onItemsFailed: ignore },
        tracing: { startSpan: ignore },
        responder: {
            sendError: (_: unknown, { status }: { status: number }) => statuses.push(status),
        },
        bodyBudget: budget,
        hotKeys: {
            record: () => {
                throw new HttpError(400, "Its turn has come");
            },
        },
        log: pino({ level: "silent" }),
    } as unknown as EmbeddingsDependencies;
    const input = { kind: "text", text: "text" } as const;
    const handle = createEmbeddingsHandler(dependencies, {
        route: "/embed",
        parse: () => ({
            inputs: Array.from({ length: 300 }, () => input),
            field: "texts",
            isSingle: false,
            dimensions: undefined,
            shortenTo: undefined,
            encoding: "float",
            user: undefined,
        }),
        parseLarge: () => Promise.reject(new Error("It is small")),
        formatResponse: () => [],
    });
    for (let requests = 0; requests < 5; requests += 1) {
        const request = { rawHeaders: [], bufferedBody: () => Buffer.alloc(400, requests) };
        handle(request as unknown as HttpRequest, {} as HttpResponse);
    }
    expect(statuses).toEqual([503, 503, 503]);
    expect(budget.reservedBytes()).toBe(800);
    await eventually("the others are answered", () => statuses.length === 5);
    expect(statuses.slice(3)).toEqual([400, 400]);
    expect(budget.reservedBytes()).toBe(0);
});
