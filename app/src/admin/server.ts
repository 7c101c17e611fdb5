import type { Server } from "node:http";

import swagger from "@fastify/swagger";
import { ADMIN_PREFIX, HEADERS } from "@property-search/contract";

import type { Log } from "../log.ts";
import { createApp, type AdminApp } from "./app.ts";
import { createBearerCheck } from "./bearer.ts";
import { registerErrorHandlers } from "./errors.ts";

/** The admin port. It is not performance-critical and uses a standard framework. */
export interface AdminServer {
    /**
     * Listens on the interfaces of the options.
     *
     * @returns the port
     * @throws Error with the remedy if the port is in use
     */
    readonly listen: (port: number) => Promise<number>;
    /** Closes all open connections. */
    readonly close: () => Promise<void>;
}

export interface AdminServerOptions {
    readonly token: string;
    /**
     * Where it listens. On the loopback interface, operators connect by port-forward, which ends inside the pod; nothing
     * else can connect, whatever the network policies allow.
     */
    readonly interfaces: "loopback" | "all";
    /** The setting of the port, for errors. */
    readonly portVariable: string;
    readonly colour: string;
    readonly version: string;
    readonly log: Log;
    /** Called with the status of each response. */
    readonly onRequestEnd: (code: number) => void;
    /** Functions that each register the routes of one concern. */
    readonly routes: readonly AdminRoutes[];
}

export type AdminRoutes = (app: AdminApp) => void;

const DESCRIPTION =
    "Administration of one pod of the cached embedding service and of the cache that " +
    "all pods share. All paths require the bearer token of the stack's Secret.";

export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
    const { token, colour, version, log, onRequestEnd, routes } = options;
    const app = createApp();
    const checkToken = createBearerCheck(token);
    app.addHook("onRequest", (request, reply, next) => {
        void reply.headers({ [HEADERS.servedBy]: colour, [HEADERS.servedVersion]: version });
        next(checkToken(request.raw.headersDistinct.authorization));
    });
    // Logs the route instead of the URL, to keep texts and keys out of the logs.
    app.addHook("onResponse", ({ method, routeOptions: { url } }, { statusCode }, next) => {
        onRequestEnd(statusCode);
        if (method !== "GET") log.info({ method, route: url, status: statusCode }, "Admin request");
        next();
    });
    registerErrorHandlers(app, log);
    await app.register(swagger, { openapi: openapi(version) });
    await app.register(
        (instance: AdminApp, _, done) => {
            for (const add of routes) add(instance);
            instance.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
            done();
        },
        { prefix: ADMIN_PREFIX },
    );
    await app.ready();
    return {
        listen: (port) => listen(app.server, port, options),
        close: async () => {
            app.server.close();
            app.server.closeAllConnections();
            await app.close();
        },
    };
}

/** Registers routes whose bodies of these content types are passed on as streams. */
export function withUploads(app: AdminApp, types: readonly string[], add: AdminRoutes): void {
    void app.register((instance: AdminApp, _, done) => {
        instance.removeAllContentTypeParsers();
        instance.addContentTypeParser([...types], (_, payload, onParsed) =>
            onParsed(null, payload),
        );
        add(instance);
        done();
    });
}

function openapi(version: string) {
    return {
        openapi: "3.1.0",
        info: {
            title: "Cached embedding service: administration",
            description: DESCRIPTION,
            version,
        },
        components: { securitySchemes: { bearer: { type: "http" as const, scheme: "bearer" } } },
        security: [{ bearer: [] }],
    };
}

function listen(
    server: Server,
    port: number,
    { interfaces, portVariable }: AdminServerOptions,
): Promise<number> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => {
            const message = `Port ${port} is in use: stop the process that listens on it, or set ${portVariable}`;
            reject(error.code === "EADDRINUSE" ? new Error(message) : error);
        });
        server.listen({ port, ...(interfaces === "loopback" && { host: "127.0.0.1" }) }, () => {
            const address = server.address();
            resolve(typeof address === "object" && address ? address.port : port);
        });
    });
}
