import type { IncomingMessage, ServerResponse } from "node:http";
import type { Report } from "../analysis/report.ts";
import { formatDay } from "../impact/hourStore.ts";
import type { ImpactSource } from "../impact/source.ts";
import { RANGES, type RangeName } from "../impact/view.ts";
import { writeCsv } from "../impact/csv.ts";
import { createMonthDocument, listMonths } from "../impact/month.ts";
import type { ReportFormat } from "../report/history.ts";
import { writeHtml } from "../report/html.ts";
import { writeMarkdown } from "../report/markdown.ts";
import { COOKIE, formatCookie, type Access } from "./access.ts";
import type { Archive } from "./archive.ts";
import { PUBLIC_ASSET, type Asset } from "./assets.ts";
import { checkReport } from "./checkReport.ts";
import { HttpError, readBody, readJson, send, sendJson } from "./exchange.ts";
import { impactPage, loginPage, PAGE_POLICY, REPORT_POLICY } from "./pages.ts";
import type { TuningRecord } from "./tuningRecord.ts";

export interface RoutesArgs {
    readonly access: Access;
    readonly archive: Archive;
    readonly tuning: TuningRecord;
    readonly source: ImpactSource;
    readonly assets: ReadonlyMap<string, Asset>;
    /** Whether this process accepts traffic: not while it ends. */
    readonly isReady: () => boolean;
}

/** Reports of 500 tenants have about 300 kB. */
const MAX_REPORT_BYTES = 8 * 2 ** 20;
const MAX_TUNING_BYTES = 2 ** 20;
const MAX_POSTED_BYTES = 1_024;
const MAX_FORM_BYTES = 4_096;
const TYPES: Readonly<Record<ReportFormat | "csv", string>> = {
    json: "application/json; charset=utf-8",
    html: "text/html; charset=utf-8",
    md: "text/markdown; charset=utf-8",
    csv: "text/csv; charset=utf-8",
};

interface Exchange {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly url: URL;
    readonly method: string;
}

/** Answers every request of the server. */
export function createRoutes(args: RoutesArgs) {
    return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const { method = "GET" } = request;
        try {
            const url = URL.parse(request.url ?? "/", "http://server");
            if (url === null) throw new HttpError(400, "The path is not valid.");
            await answer(args, {
                request,
                response,
                url,
                method: method === "HEAD" ? "GET" : method,
            });
        } catch (error) {
            if (response.headersSent || response.destroyed) {
                response.destroy();
                return;
            }
            const known = error instanceof HttpError ? error : undefined;
            if (!known) console.error(`${method} ${request.url ?? ""}: ${(error as Error).stack}`);
            const {
                status = 500,
                message = "The server failed; its log says why.",
                headers = {},
            } = known ?? {};
            await sendJson(request, response, { error: message }, { status, headers });
        }
    };
}

async function answer(args: RoutesArgs, exchange: Exchange): Promise<void> {
    const { url, method, request, response } = exchange;
    const text = (body: string, status = 200) =>
        send(request, response, { type: "text/plain; charset=utf-8", body, status });
    if (url.pathname === "/healthz") return text("ok\n");
    if (url.pathname === "/readyz") {
        return args.isReady() ? text("ready\n") : text("ending\n", 503);
    }
    if (url.pathname !== "/impact" && !url.pathname.startsWith("/impact/")) {
        throw new HttpError(404, "No such path; the page is at /impact.");
    }
    const path = url.pathname.slice("/impact".length);
    if (path === "/login") return logIn(args, exchange);
    if (path === `/assets/${PUBLIC_ASSET}`) return sendAsset(args, exchange, PUBLIC_ASSET);
    const identity = identify(args.access, request);
    if (identity === undefined) {
        // A browser that opens the page gets the form; all else is a program.
        if (path === "" || path === "/") return sendLogin(exchange, 401);
        throw new HttpError(401, "A bearer token, or a login at /impact, is needed.", {
            "www-authenticate": "Bearer",
        });
    }
    if (method === "POST" && path === "/logout") {
        requireSameOrigin(request);
        response.writeHead(303, {
            location: "/impact",
            "set-cookie": formatCookie("", isSecure(request)),
        });
        response.end();
        return;
    }
    // A page of another site cannot send a bearer token: only with it, anything is written.
    if (method !== "GET" && identity !== "token") {
        throw new HttpError(403, "Only a bearer token may write.");
    }
    if (path === "" || path === "/") {
        requireMethod(method, "GET");
        return send(request, response, {
            type: TYPES.html,
            body: impactPage(),
            policy: PAGE_POLICY,
        });
    }
    const [, asset] = /^\/assets\/([\w./-]+)$/.exec(path) ?? [];
    if (asset !== undefined) return sendAsset(args, exchange, asset);
    const [, api] = /^\/api\/(.+)$/.exec(path) ?? [];
    if (api !== undefined) return answerApi(args, exchange, api);
    throw new HttpError(404, "No such path.");
}

async function answerApi(args: RoutesArgs, exchange: Exchange, path: string): Promise<void> {
    const { request, response, method, url } = exchange;
    const viewPath = /^impact(?:[.](json|csv))?$/.exec(path);
    if (viewPath) {
        requireMethod(method, "GET");
        const [, viewFormat] = viewPath;
        const range = parseRange(url.searchParams.get("range"));
        const view = await args.source.view(range);
        const attachment = (format: string) => ({
            "content-disposition": `attachment; filename="impact-${range}.${format}"`,
        });
        if (viewFormat === "csv") {
            return send(request, response, {
                type: TYPES.csv,
                body: writeCsv(view),
                headers: attachment("csv"),
            });
        }
        return sendJson(request, response, view, {
            headers: viewFormat === "json" ? attachment("json") : {},
        });
    }
    if (path === "reports") {
        requireMethod(method, "GET");
        return sendJson(request, response, { reports: args.archive.list().map(summarize) });
    }
    const [, day, dayFormat = "json"] =
        /^reports\/(\d{4}-\d\d-\d\d)(?:[.](json|html|md))?$/.exec(path) ?? [];
    if (day !== undefined && isDay(day)) {
        if (method === "PUT") {
            const report = checkReport(await readJson(request, MAX_REPORT_BYTES));
            const hadOne = await args.archive.put(day, report);
            return sendJson(request, response, { day }, { status: hadOne ? 200 : 201 });
        }
        requireMethod(method, "GET", "PUT");
        const format = dayFormat as ReportFormat;
        return send(request, response, {
            type: TYPES[format],
            body: await args.archive.read(day, format),
            ...(format === "html" && { policy: REPORT_POLICY }),
        });
    }
    const [, postedDay] = /^reports\/(\d{4}-\d\d-\d\d)\/slack$/.exec(path) ?? [];
    if (postedDay !== undefined && isDay(postedDay)) {
        if (method === "PUT") {
            await args.archive.putPosted(postedDay, await readJson(request, MAX_POSTED_BYTES));
            return sendJson(request, response, {});
        }
        requireMethod(method, "GET", "PUT");
        return sendJson(request, response, await args.archive.readPosted(postedDay));
    }
    if (path === "months") {
        requireMethod(method, "GET");
        return sendJson(request, response, { months: listMonths(await args.source.days()) });
    }
    const [, month, monthFormat = "json"] =
        /^months\/(\d{4}-\d\d)(?:[.](json|html|md))?$/.exec(path) ?? [];
    if (month !== undefined) {
        requireMethod(method, "GET");
        return sendMonth(args, exchange, month, monthFormat as ReportFormat);
    }
    if (path === "tuning") {
        if (method === "PUT") {
            const content = await readJson(request, MAX_TUNING_BYTES);
            const hadOne = await args.tuning.put(content, request.headers["if-match"]);
            return sendJson(request, response, {}, { status: hadOne ? 200 : 201 });
        }
        requireMethod(method, "GET", "PUT");
        return send(request, response, { type: TYPES.json, body: args.tuning.read() });
    }
    throw new HttpError(404, "No such path.");
}

async function sendMonth(
    { source }: RoutesArgs,
    { request, response }: Exchange,
    month: string,
    format: ReportFormat,
): Promise<void> {
    const found = await source.month(month);
    if (found === undefined) throw new HttpError(404, `Nothing was measured in ${month}.`);
    if (format === "json") return sendJson(request, response, found);
    const document = createMonthDocument(found);
    return send(request, response, {
        type: TYPES[format],
        body: format === "html" ? writeHtml(document) : writeMarkdown(document),
        ...(format === "html" && { policy: REPORT_POLICY }),
    });
}

const summarize = ({ window, completeness, cost, lookups, recommendations }: Report) => ({
    day: window.to.slice(0, 10),
    from: window.from,
    to: window.to,
    state: completeness.state,
    hitRate: lookups.hitRate,
    netDollars: cost.net,
    recommendations: recommendations.length,
});

async function logIn({ access }: RoutesArgs, exchange: Exchange): Promise<void> {
    const { request, response, method } = exchange;
    requireMethod(method, "POST");
    requireSameOrigin(request);
    const wait = access.waitSeconds(clientOf(request));
    if (wait > 0) {
        return sendLogin(exchange, 429, `Too many wrong tokens. Try again in ${wait} s.`, wait);
    }
    const form = new URLSearchParams((await readBody(request, MAX_FORM_BYTES)).toString());
    if (!access.isToken((form.get("token") ?? "").trim())) {
        access.recordFailure(clientOf(request));
        return sendLogin(exchange, 401, "This is not the access token.");
    }
    response.writeHead(303, {
        location: "/impact",
        "set-cookie": formatCookie(access.createSession(), isSecure(request)),
        "cache-control": "no-store",
    });
    response.end();
}

const sendLogin = (
    { request, response }: Exchange,
    status: number,
    message = "",
    retryAfter?: number,
): Promise<void> =>
    send(request, response, {
        status,
        type: TYPES.html,
        body: loginPage(message),
        policy: PAGE_POLICY,
        headers: retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
    });

/** @throws HttpError 429 if the client has sent too many wrong tokens */
function identify(access: Access, request: IncomingMessage): "token" | "session" | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (token !== undefined) {
        const client = clientOf(request);
        const wait = access.waitSeconds(client);
        if (wait > 0) {
            throw new HttpError(429, `Too many wrong tokens. Try again in ${wait} s.`, {
                "retry-after": String(wait),
            });
        }
        if (access.isToken(token)) return "token";
        access.recordFailure(client);
        return undefined;
    }
    const cookies = (request.headers.cookie ?? "").split(";").map((one) => one.trim());
    const session = cookies.find((one) => one.startsWith(`${COOKIE}=`));
    const value = session?.slice(COOKIE.length + 1) ?? "";
    return value !== "" && access.isSession(value) ? "session" : undefined;
}

/** The address that the gateway appends, or the one that connects. */
function clientOf({ headers, socket }: IncomingMessage): string {
    const forwarded =
        String(headers["x-forwarded-for"] ?? "")
            .split(",")
            .at(-1)
            ?.trim() ?? "";
    return `${socket.remoteAddress ?? ""} ${forwarded.slice(0, 64)}`;
}

/** The gateway ends TLS. */
const isSecure = ({ headers }: IncomingMessage): boolean =>
    headers["x-forwarded-proto"] === "https";

/** Browsers name the page that a form is sent by. */
function requireSameOrigin({ headers }: IncomingMessage): void {
    const { origin, host } = headers;
    const site = headers["sec-fetch-site"] ?? "same-origin";
    const isOwn = origin === undefined || URL.parse(origin)?.host === host;
    if (!isOwn || (site !== "same-origin" && site !== "none")) {
        throw new HttpError(403, "The form was sent by another page.");
    }
}

function requireMethod(method: string, ...allowed: readonly string[]): void {
    if (allowed.includes(method)) return;
    const names = allowed.flatMap((one) => (one === "GET" ? ["GET", "HEAD"] : [one])).join(", ");
    throw new HttpError(405, `The method is ${method}; allowed: ${names}`, { allow: names });
}

function sendAsset({ assets }: RoutesArgs, exchange: Exchange, name: string): Promise<void> {
    const { request, response, method } = exchange;
    requireMethod(method, "GET");
    const asset = assets.get(name);
    if (!asset) throw new HttpError(404, "No such path.");
    // Its ETag says whether it has changed with a new version of the server.
    return send(request, response, { ...asset, caching: "private, no-cache" });
}

function parseRange(text: string | null): RangeName {
    const range = text ?? "24h";
    if (Object.hasOwn(RANGES, range)) return range as RangeName;
    throw new HttpError(
        400,
        `range is "${range.slice(0, 32)}"; allowed: ${Object.keys(RANGES).join(", ")}`,
    );
}

function isDay(day: string): boolean {
    const seconds = Date.parse(`${day}T00:00:00Z`) / 1000;
    return !Number.isNaN(seconds) && formatDay(seconds) === day;
}
