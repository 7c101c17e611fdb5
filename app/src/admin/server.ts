import type { Server } from "node:http";

import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { ADMIN_PREFIX, ENVIRONMENT, HEADERS } from "@property-search/contract";
import fastify from "fastify";

import type { Log } from "../log.ts";
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

export type AdminApp = ReturnType<typeof newApp>;
export type AdminRoutes = (app: AdminApp) => void;

const DESCRIPTION =
    "What operators do to one pod of the cached embedding service and, through it, to the cache that " +
    "all pods share. Every path wants the bearer token of the stack's Secret.";

/** Of JSON; uploads are streams with limits of their own. */
const MAX_BODY_BYTES = 1024 * 1024;
/** An upload may take long, but not for ever. */
const REQUEST_TIMEOUT_MILLISECONDS = 900_000;

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

function newApp() {
    return fastify({
        bodyLimit: MAX_BODY_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
        ajv: {
            customOptions: {
                allErrors: true,
                // Then an error carries the value, and the schema that it does not meet.
                verbose: true,
                // A field that is dropped in silence is a wish that is not met.
                removeAdditional: false,
            },
        },
    }).withTypeProvider<TypeBoxTypeProvider>();
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
            const taken = `Port ${port} is in use: stop what listens there, or set ${ENVIRONMENT.adminPort}`;
            reject(error.code === "EADDRINUSE" ? new Error(taken) : error);
        });
        server.listen({ port, host: "127.0.0.1" }, () => {
            const address = server.address();
            resolve(typeof address === "object" && address ? address.port : port);
        });
    });
}
