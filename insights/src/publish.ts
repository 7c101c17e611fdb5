import { IMPACT_PREFIX, UserError } from "@property-search/contract";
import type { Report } from "./analysis/report.ts";
import { dayOf, isMeasured } from "./report/history.ts";
import { parsePosted, type PostedStore } from "./report/posted.ts";
import { send, SendError, type SendOptions } from "./send.ts";

/** The API of the page, as `serve` has it. */
export interface PageOptions extends SendOptions {
    /** Base URL without a path, such as `http://insights:8090`. */
    readonly url: string;
    /** Access token of the page. */
    readonly token: string;
}

/** Calls of the page's API, each with retries. */
export interface PageApi {
    /** Writes a JSON value at a path below IMPACT_PREFIX/api. @throws UserError with the reason */
    readonly put: (path: string, value: unknown) => Promise<void>;
    /** @returns the JSON at a path; undefined if there is none. @throws UserError with the reason */
    readonly get: (path: string) => Promise<unknown>;
}

const MAX_EXPLANATION = 300;

export function createPageApi({ url, token, ...options }: PageOptions): PageApi {
    const base = url.replace(/\/+$/, "");
    const call = async (method: "GET" | "PUT", path: string, value?: unknown) => {
        const request = {
            method,
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            ...(method === "PUT" && { body: JSON.stringify(value) }),
        };
        return send(`${base}${IMPACT_PREFIX}/api/${path}`, request, explain, options);
    };
    const fail = (words: string, error: unknown): never => {
        if (!(error instanceof SendError)) throw error;
        const hint = error.status === 401 ? "; allowed: the access token of the page" : "";
        throw new UserError(`${base} ${words}: ${error.message}${hint}`);
    };
    return {
        put: async (path, value) => {
            await call("PUT", path, value).catch((error: unknown) =>
                fail(`did not accept ${path}`, error),
            );
        },
        get: async (path) => {
            try {
                return JSON.parse(await call("GET", path)) as unknown;
            } catch (error) {
                if (error instanceof SendError && error.status === 404) return undefined;
                return fail(`did not return ${path}`, error);
            }
        },
    };
}

/**
 * Publishes the report of its day at the page, which keeps the history. An outage of Prometheus does not replace a report
 * with figures.
 *
 * @returns whether the page has this report
 * @throws UserError with the page's reason
 */
export async function publishReport(report: Report, options: PageOptions): Promise<boolean> {
    const api = createPageApi(options);
    const path = `reports/${dayOf(report)}`;
    if (!isMeasured(report)) {
        const earlier = (await api.get(`${path}.json`)) as Partial<Report> | undefined;
        if (earlier !== undefined && isMeasured(earlier)) return false;
    }
    await api.put(path, report);
    return true;
}

/** The page remembers which messages Slack has, with the reports. */
export function createPagePosted(options: PageOptions): PostedStore {
    const api = createPageApi(options);
    const pathOf = (day: string) => `reports/${day}/slack`;
    return {
        read: async (day) => parsePosted(await api.get(pathOf(day))),
        write: (day, posted) => api.put(pathOf(day), posted),
    };
}

/** The message of the page's error, or the start of another server's text. */
function explain(text: string): string {
    try {
        const { error } = JSON.parse(text) as { error?: unknown };
        if (typeof error === "string") return `, ${cut(error)}`;
    } catch {
        // Another server's text.
    }
    const line = text.replace(/\s+/g, " ").trim();
    return line === "" ? "" : `, ${cut(line)}`;
}

function cut(text: string): string {
    return text.length <= MAX_EXPLANATION ? text : `${text.slice(0, MAX_EXPLANATION)}…`;
}
