import { HEADERS } from "@property-search/contract";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Catalogue, CatalogueVectors } from "../catalogue.ts";
import type { createChat } from "../chat.ts";
import { fits } from "../constraints.ts";
import type { Listing } from "../data/generate.ts";
import { EmbeddingError, type Embed } from "../embeddings.ts";
import type { Metrics } from "../metrics.ts";
import { rankPois } from "../ranking.ts";
import { HttpError, json, readJson, send, type Answer } from "./exchange.ts";
import { parseChatMessage, parseListingSearch, parsePoiSearch } from "./input.ts";

export interface RoutesArgs {
    readonly catalogue: Catalogue;
    readonly embed: Embed;
    readonly chat: ReturnType<typeof createChat>;
    readonly metrics: Metrics;
    /** The page as HTML, with its headers. */
    readonly page: Answer;
    /** Requests with a body that may be in progress. */
    readonly maxRequests: number;
    readonly isDraining: () => boolean;
}

const MAX_BODY_BYTES = 16_384;
/** Seconds after which a client may try again. */
const BUSY_RETRY_SECONDS = "1";

interface Route {
    /** Label of metrics. */
    readonly name: string;
    readonly method: "GET" | "POST";
    readonly answer: (request: IncomingMessage, url: URL) => Answer | Promise<Answer>;
}

/** Answers every request of the server. */
export function createRoutes(args: RoutesArgs) {
    const { catalogue, embed, chat, metrics } = args;
    let inProgress = 0;
    return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const begin = performance.now();
        let name = "other";
        response.once("close", () => {
            const seconds = (performance.now() - begin) / 1000;
            // A client that left got no answer.
            if (response.writableFinished) metrics.onAnswer(name, response.statusCode, seconds);
        });
        const respond = (answer: Answer): void => {
            // The gateway's connections move to other pods.
            if (args.isDraining()) response.setHeader("connection", "close");
            send(request, response, answer);
        };
        try {
            const url = URL.parse(request.url ?? "/", "http://server");
            if (url === null) throw new HttpError(400, "The path is not valid.");
            const route = findRoute(url.pathname);
            name = route.name;
            requireMethod(request.method, route.method);
            respond(await route.answer(request, url));
        } catch (error) {
            if (response.headersSent || response.destroyed) {
                response.destroy();
                return;
            }
            respond(describeFailure(request, error));
        }
    };

    function findRoute(path: string): Route {
        const get = (answer: Route["answer"], name = path): Route => ({
            ...{ name, answer },
            method: "GET",
        });
        switch (path) {
            case "/":
                return get(() => args.page);
            case "/healthz":
                return get(() => plain("ok\n"));
            case "/readyz":
                return get(() => {
                    if (args.isDraining()) return plain("draining\n", 503);
                    return catalogue.vectors() ? plain("ready\n") : plain("embedding\n", 503);
                });
            case "/metrics":
                return get(async () => ({
                    type: metrics.contentType,
                    body: await metrics.read(),
                }));
            case "/api/properties":
                return get((_, url) => json(listProperties(url.searchParams)));
            case "/api/chat":
                return { name: path, method: "POST", answer: bounded(answerChat) };
        }
        const [, id, pois] = /^\/api\/properties\/([^/]+)(\/pois)?$/.exec(path) ?? [];
        if (id === undefined) throw new HttpError(404, `No such path: ${path.slice(0, 100)}`);
        if (pois === undefined) {
            return get(() => json(requireListing(id)), "/api/properties/:id");
        }
        return {
            name: "/api/properties/:id/pois",
            method: "POST",
            answer: bounded((request, vectors) => answerPois(requireListing(id), request, vectors)),
        };
    }

    /** Limits requests in progress, and needs the vectors. */
    function bounded(
        answer: (request: IncomingMessage, vectors: CatalogueVectors) => Promise<Answer>,
    ): Route["answer"] {
        return async (request) => {
            const vectors = catalogue.vectors();
            if (!vectors) throw unavailable("The listings are not embedded yet");
            if (inProgress >= args.maxRequests) throw unavailable("Too many requests at a time");
            inProgress += 1;
            try {
                return await answer(request, vectors);
            } finally {
                inProgress -= 1;
            }
        };
    }

    function listProperties(query: URLSearchParams) {
        const { constraints, limit, offset } = parseListingSearch(query);
        const found = catalogue.listings.filter((listing) => fits(listing, constraints));
        const properties = found.slice(offset, offset + limit);
        return { properties, total: found.length, limit, offset };
    }

    function requireListing(id: string): Listing {
        const listing = catalogue.findListing(id);
        if (!listing) throw new HttpError(404, `No such property: ${id.slice(0, 100)}`);
        return listing;
    }

    async function answerPois(
        listing: Listing,
        request: IncomingMessage,
        { pois }: CatalogueVectors,
    ): Promise<Answer> {
        const search = parsePoiSearch(await readJson(request, MAX_BODY_BYTES));
        const { vectors, cache } = await embed("pois", [search.query]);
        const [vector] = vectors;
        const ranked = vector ? rankPois(pois, listing, vector, search) : [];
        const { query, radiusMetres } = search;
        const body = {
            ...{ propertyId: listing.id, query, radiusMetres },
            pois: ranked.map(({ poi, distanceMetres, similarity, score }) => ({
                ...poi,
                distanceMetres: Math.round(distanceMetres),
                similarity: round(similarity),
                score: round(score),
            })),
        };
        return json(body, { headers: cacheHeader(cache) });
    }

    async function answerChat(
        request: IncomingMessage,
        vectors: CatalogueVectors,
    ): Promise<Answer> {
        const message = parseChatMessage(await readJson(request, MAX_BODY_BYTES));
        const { found, cache, ...answer } = await chat(vectors, message);
        const properties = found.map(({ listing, similarity }) => ({
            ...listing,
            similarity: round(similarity),
        }));
        const body = { ...answer, sessionId: message.sessionId, properties };
        return json(body, { headers: cacheHeader(cache) });
    }
}

function requireMethod(method = "GET", allowed: Route["method"]): void {
    if (method === allowed || (method === "HEAD" && allowed === "GET")) return;
    const allow = allowed === "GET" ? "GET, HEAD" : allowed;
    throw new HttpError(405, `The method is ${method}; allowed: ${allow}`, { headers: { allow } });
}

function describeFailure(request: IncomingMessage, error: unknown): Answer {
    const known =
        error instanceof EmbeddingError
            ? unavailable(error.message, error.retryAfterSeconds)
            : error instanceof HttpError
              ? error
              : undefined;
    if (!known) console.error(`${request.method ?? ""} ${request.url ?? ""}:`, error);
    const {
        status = 500,
        message = "The server failed; its log says why.",
        field,
        headers = {},
    } = known ?? {};
    const body = { error: { message, ...(field !== undefined && { field }) } };
    return json(body, { status, headers });
}

function unavailable(message: string, seconds?: number): HttpError {
    const retryAfter = seconds === undefined ? BUSY_RETRY_SECONDS : `${seconds}`;
    return new HttpError(503, message, { headers: { "retry-after": retryAfter } });
}

function plain(body: string, status = 200): Answer {
    return { type: "text/plain; charset=utf-8", body, status };
}

function cacheHeader(cache: string | undefined): Record<string, string> {
    return cache === undefined ? {} : { [HEADERS.cache]: cache };
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;
