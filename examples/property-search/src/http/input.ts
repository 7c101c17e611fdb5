import { randomUUID } from "node:crypto";
import { AREAS } from "../data/areas.ts";
import type { Constraints } from "../constraints.ts";
import { HttpError } from "./exchange.ts";

/** Longest query and message, in characters: less than the model's limit of tokens. */
const MAX_QUERY = 500;
const MAX_MESSAGE = 1_000;
const MAX_POUNDS = 100_000_000;
const MAX_OFFSET = 1_000_000;
const MAX_SHOWN = 100;

export interface PoiSearch {
    readonly query: string;
    readonly radiusMetres: number;
    readonly limit: number;
}

export interface ChatMessage {
    readonly message: string;
    readonly sessionId: string;
}

export interface ListingSearch {
    readonly constraints: Constraints;
    readonly limit: number;
    readonly offset: number;
}

/** @throws HttpError 400 that names the field, its value and what is allowed */
export function parsePoiSearch(body: Readonly<Record<string, unknown>>): PoiSearch {
    requireFields(Object.keys(body), ["query", "radiusMetres", "limit"]);
    return {
        query: readText("query", body.query, MAX_QUERY),
        radiusMetres: readInteger("radiusMetres", body.radiusMetres, [100, 10_000], 1_500),
        limit: readInteger("limit", body.limit, [1, 50], 10),
    };
}

/** The same for a message. A session ID that is not set is generated. */
export function parseChatMessage(body: Readonly<Record<string, unknown>>): ChatMessage {
    requireFields(Object.keys(body), ["message", "sessionId"]);
    const { sessionId = randomUUID() } = body;
    if (typeof sessionId !== "string" || !/^[\w-]{1,64}$/.test(sessionId)) {
        throw invalid("sessionId", sessionId, "1 to 64 letters, digits, hyphens and underscores");
    }
    return { message: readText("message", body.message, MAX_MESSAGE), sessionId };
}

const LISTING_FIELDS = [
    ...["area", "bedrooms", "minBedrooms", "minPrice", "maxPrice", "limit", "offset"],
] as const;

/** The same for a query string. A field without a value counts as not set, as a form sends it. */
export function parseListingSearch(query: URLSearchParams): ListingSearch {
    requireFields([...new Set(query.keys())], LISTING_FIELDS);
    const text = (field: (typeof LISTING_FIELDS)[number]): string | undefined => {
        const values = query.getAll(field);
        if (values.length > 1) throw invalid(field, values, "one value");
        return values[0] === "" ? undefined : values[0];
    };
    const number = (field: (typeof LISTING_FIELDS)[number], most: number) => {
        const value = text(field);
        return value === undefined ? undefined : readNumber(field, value, [0, most]);
    };
    const area = text("area");
    const known = AREAS.find(({ name }) => name.toLowerCase() === area?.toLowerCase());
    if (area !== undefined && !known) {
        throw invalid("area", area, AREAS.map(({ name }) => name).join(", "));
    }
    const minPricePounds = number("minPrice", MAX_POUNDS);
    const maxPricePounds = number("maxPrice", MAX_POUNDS);
    if ((minPricePounds ?? 0) > (maxPricePounds ?? Infinity)) {
        throw invalid("minPrice", minPricePounds, `at most maxPrice (${maxPricePounds ?? ""})`);
    }
    const constraints = {
        areas: known && [known.name],
        bedrooms: number("bedrooms", 20),
        minBedrooms: number("minBedrooms", 20),
        ...{ minPricePounds, maxPricePounds },
    };
    const limit = text("limit");
    return {
        constraints: Object.fromEntries(
            Object.entries(constraints).filter(([, value]) => value !== undefined),
        ),
        limit: limit === undefined ? 20 : readNumber("limit", limit, [1, 100]),
        offset: number("offset", MAX_OFFSET) ?? 0,
    };
}

function readText(field: string, value: unknown, most: number): string {
    const words = `text of 1 to ${most} characters`;
    if (typeof value !== "string") throw invalid(field, value, words);
    const text = value.trim();
    // Half of a surrogate pair is no text that another program could read.
    if (text === "" || text.length > most || !text.isWellFormed()) {
        throw invalid(field, value, words);
    }
    return text;
}

type Range = readonly [least: number, most: number];

function readInteger(field: string, value: unknown, [least, most]: Range, otherwise: number) {
    if (value === undefined) return otherwise;
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
        return value as number;
    }
    throw invalid(field, value, `a whole number from ${least} to ${most}`);
}

function readNumber(field: string, text: string, range: Range): number {
    return readInteger(field, /^\d{1,12}$/.test(text) ? Number(text) : text, range, 0);
}

function requireFields(given: readonly string[], allowed: readonly string[]): void {
    const unknown = given.find((field) => !allowed.includes(field));
    if (unknown === undefined) return;
    throw new HttpError(400, `${shorten(unknown)} is unknown; allowed: ${allowed.join(", ")}`, {
        field: shorten(unknown),
    });
}

function invalid(field: string, value: unknown, allowed: string): HttpError {
    const found = value === undefined ? "is not set" : `is ${shorten(JSON.stringify(value))}`;
    return new HttpError(400, `${field} ${found}; allowed: ${allowed}`, { field });
}

function shorten(text: string): string {
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
