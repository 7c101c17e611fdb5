import type { Server } from "node:http";

import swagger from "@fastify/swagger";
import { ADMIN_PREFIX, HEADERS } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";

import type { Log } from "../log.ts";
import { newApp, type AdminApp } from "./app.ts";
import { bearerCheck } from "./bearer.ts";
import { answerErrors } from "./errors.ts";

/** The operators' port. It is off the hot path, so it is made of ready parts. */
export interface AdminServer {
    /**
     * On the loopback interface only: operators come by port-forward, which ends inside of the pod,
     * and nothing else gets there, whatever the cluster's network policies are worth.
     *
     * @returns the port. @throws Error that tells what to do when the port is taken
     */
    readonly listen: (port: number) => Promise<number>;
    /** Cuts off what is open. */
    readonly close: () => Promise<void>;
}

export interface AdminServerOptions {
    readonly token: string;
    readonly colour: string;
    readonly version: string;
    readonly log: Log;
    /** Each adds the paths of one concern. */
    readonly routes: readonly AdminRoutes[];
}

export type AdminRoutes = (app: AdminApp) => void;

const DESCRIPTION =
    "What operators do to one pod of the cached embedding service and, through it, to the cache that " +
    "all pods share. Every path wants the bearer token of the stack's Secret.";

export async function adminServer(options: AdminServerOptions): Promise<AdminServer> {
    const { token, colour, version, log, routes } = options;
    const app = newApp();
    const refusal = bearerCheck(token);
    app.addHook("onRequest", (request, reply, next) => {
        void reply.headers({ [HEADERS.servedBy]: colour, [HEADERS.servedVersion]: version });
        next(refusal(request.headers.authorization));
    });
    // The route and not the address: texts and keys stay out of the logs.
    app.addHook("onResponse", ({ method, routeOptions: { url } }, { statusCode }, next) => {
        if (method !== "GET") log.info({ method, route: url, status: statusCode }, "Admin");
        next();
    });
    answerErrors(app, log);
    await app.register(swagger, { openapi: openapi(version) });
    await app.register(
        (scope: AdminApp, _, done) => {
            for (const add of routes) add(scope);
            scope.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
            done();
        },
        { prefix: ADMIN_PREFIX },
    );
    await app.ready();
    return {
        listen: (port) => listen(app.server, port),
        close: async () => {
            app.server.close();
            app.server.closeAllConnections();
            await app.close();
        },
    };
}

/** Adds paths whose bodies of these types are not read but handed on as streams. */
export function withUploads(app: AdminApp, types: readonly string[], add: AdminRoutes): void {
    void app.register((scope: AdminApp, _, done) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser([...types], (_, payload, parsed) => parsed(null, payload));
        add(scope);
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

function listen(server: Server, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => {
            const taken = `Port ${port} is in use: stop what listens there, or set ${SERVICE_SETTINGS.adminPort.env}`;
            reject(error.code === "EADDRINUSE" ? new Error(taken) : error);
        });
        server.listen({ port, host: "127.0.0.1" }, () => {
            const address = server.address();
            resolve(typeof address === "object" && address ? address.port : port);
        });
    });
}
