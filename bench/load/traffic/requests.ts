import { PATHS } from "@property-search/contract";
import type { TraceEntry } from "./trace.ts";

/** The services that the load goes to, by the names of their routes. */
export const SERVICES = ["embed", "pois", "chat"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** A request without its time and user. */
export type Request = Omit<TraceEntry, "at" | "user">;

export const embedRequest = (text: string): Request => ({
    route: "embed",
    path: PATHS.embed,
    body: JSON.stringify({ text }),
});

export const poisRequest = (property: string, query: string): Request => ({
    route: "pois",
    path: `/api/properties/${encodeURIComponent(property)}/pois`,
    body: JSON.stringify({ query }),
});

export const chatRequest = (sessionId: string, message: string): Request => ({
    route: "chat",
    path: "/api/chat",
    body: JSON.stringify({ message, sessionId }),
});

/** @param area as in the listings. Default: all areas */
export const propertiesRequest = (area = ""): Request => ({
    route: "properties",
    method: "GET",
    path: `/api/properties?limit=20${area === "" ? "" : `&area=${encodeURIComponent(area)}`}`,
});
