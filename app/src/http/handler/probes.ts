import { PATHS } from "@property-search/contract";

import { detach } from "../../detach.ts";
import { toHttpError } from "../protocol/error.ts";
import { JSON_TYPE, type Responder } from "../protocol/responder.ts";
import type { Routes } from "../protocol/router.ts";

export interface Health {
    readonly isStarted: () => boolean;
    readonly isDraining: () => boolean;
    /** Human-readable status. It does not affect readiness. */
    readonly report: () => Readonly<Record<string, unknown>>;
}

/** Metrics in Prometheus' text format. */
export interface Exposition {
    readonly metrics: () => Promise<string>;
    readonly contentType: string;
}

/** Liveness, readiness, startup, health and metrics. None of them depends on anything outside the process. */
export function createProbes(
    health: Health,
    exposition: Exposition,
    responder: Responder,
): Routes["get"] {
    const state = (): "starting" | "draining" | "ok" =>
        health.isDraining() ? "draining" : health.isStarted() ? "ok" : "starting";

    return {
        [PATHS.live]: (_, response) =>
            responder.sendText(response, 200, JSON_TYPE, '{"status":"ok"}'),
        [PATHS.ready]: (_, response) => {
            const status = state() === "ok" ? 200 : 503;
            responder.sendText(response, status, JSON_TYPE, JSON.stringify({ status: state() }));
        },
        [PATHS.startup]: (_, response) => {
            const started = health.isStarted();
            const body = JSON.stringify({ status: started ? "ok" : "starting" });
            responder.sendText(response, started ? 200 : 503, JSON_TYPE, body);
        },
        [PATHS.health]: (_, response) => {
            const body = JSON.stringify({ status: state(), ...health.report() });
            responder.sendText(response, 200, JSON_TYPE, body);
        },
        [PATHS.metrics]: (_, response) => {
            detach(
                exposition.metrics().then(
                    (text) => responder.sendText(response, 200, exposition.contentType, text),
                    (error: unknown) => responder.sendError(response, toHttpError(error)),
                ),
            );
        },
    };
}
