import { UserError, waitForQuiet } from "@property-search/contract";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createCatalogue } from "./catalogue.ts";
import { createChat } from "./chat.ts";
import { createChatModel } from "./chatModel.ts";
import { generateDataset, type Dataset } from "./data/generate.ts";
import { createEmbed } from "./embeddings.ts";
import { createRoutes } from "./http/routes.ts";
import { createMetrics } from "./metrics.ts";
import { renderPage } from "./page/render.ts";
import { createSessions } from "./sessions.ts";
import type { ExampleSettings } from "./settings.ts";

export interface ServeOptions {
    readonly settings: ExampleSettings;
    readonly print: (line: string) => void;
    /** Default: that of generateDataset */
    readonly dataset?: Dataset;
}

export interface RunningServer {
    readonly port: number;
    /** Whether the listings are embedded; rejects if the server stops before. */
    readonly ready: Promise<void>;
    /**
     * Ends without losing an answer: new requests are accepted until none has come for a while, and open ones end.
     *
     * @param quietMilliseconds time without a request after which gateways have removed this pod
     */
    readonly stop: (quietMilliseconds: number) => Promise<void>;
}

/** Share of the drain time in which new requests are accepted. */
const ACCEPT_SHARE = 0.5;
/** Connections besides those of requests with a body: idle ones, probes, and those that must come back later. */
const OTHER_CONNECTIONS = 2_048;

/** Serves the page and its API, and embeds the listings. @throws UserError if the port is in use */
export async function serve({
    settings,
    print,
    dataset = generateDataset(),
}: ServeOptions): Promise<RunningServer> {
    const sessions = createSessions({
        maxSessions: settings.maxSessions,
        lifetimeMilliseconds: settings.sessionMinutes * 60_000,
    });
    const metrics = createMetrics(sessions.count);
    const embed = createEmbed(
        {
            url: settings.embeddingUrl,
            apiKey: settings.embeddingApiKey,
            model: settings.embeddingModel,
            timeoutMilliseconds: settings.embeddingTimeoutSeconds * 1000,
        },
        metrics,
    );
    const model =
        settings.chatUrl === ""
            ? undefined
            : createChatModel({
                  url: settings.chatUrl,
                  apiKey: settings.chatApiKey,
                  model: settings.chatModel,
                  timeoutMilliseconds: settings.chatTimeoutSeconds * 1000,
              });
    const catalogue = createCatalogue({ dataset, embed, print });
    const end = new AbortController();
    let isDraining = false;
    let open = 0;
    let requests = 0;
    const answer = createRoutes({
        ...{ catalogue, embed, metrics },
        chat: createChat({ embed, sessions, metrics, model }),
        page: renderPage(),
        maxRequests: settings.maxRequests,
        isDraining: () => isDraining,
    });
    const server = createServer(
        {
            // Slow senders must not hold sockets.
            ...{ requestTimeout: 30_000, headersTimeout: 10_000 },
            connectionsCheckingInterval: 5_000,
            // Longer than gateways keep idle connections: they would send into one that closes.
            keepAliveTimeout: 200_000,
        },
        (request, response) => {
            requests += 1;
            open += 1;
            response.once("close", () => (open -= 1));
            void answer(request, response);
        },
    );
    server.maxConnections = settings.maxRequests + OTHER_CONNECTIONS;
    await listen(server, settings.port);
    const ready = catalogue.load(end.signal);
    // A client that does not wait for it sees readiness at /readyz.
    ready.catch(() => undefined);
    return {
        port: (server.address() as AddressInfo).port,
        ready,
        stop: async (quietMilliseconds) => {
            isDraining = true;
            end.abort();
            const begin = performance.now();
            const total = settings.drainTimeoutSeconds * 1000;
            await waitForQuiet(() => requests, quietMilliseconds, total * ACCEPT_SHARE);
            const closed = new Promise((resolve) => server.close(resolve));
            const remaining = total - (performance.now() - begin);
            const timer = setTimeout(() => {
                print(`Cut off ${open} requests after ${settings.drainTimeoutSeconds} s`);
                server.closeAllConnections();
            }, remaining);
            await closed;
            clearTimeout(timer);
        },
    };
}

function listen(server: Server, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => {
            const remedy = "stop the process that listens on it, or set PORT";
            const isUsed = error.code === "EADDRINUSE";
            reject(isUsed ? new UserError(`Port ${port} is in use: ${remedy}`) : error);
        });
        server.listen(port, resolve);
    });
}
