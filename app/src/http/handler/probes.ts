import { PATHS } from "@property-search/contract";

import { detach } from "../../detach.ts";
import { asHttpError } from "../protocol/error.ts";
import { JSON_TYPE, type Replies } from "../protocol/responder.ts";
import type { Routes } from "../protocol/router.ts";

export interface Health {
    readonly started: () => boolean;
    readonly draining: () => boolean;
    /** Human-readable status. It does not affect readiness. */
    readonly report: () => Readonly<Record<string, unknown>>;
}

/** Metrics in Prometheus' text format. */
export interface Exposition {
    readonly metrics: () => Promise<string>;
    readonly contentType: string;
}

/** Liveness, readiness, startup, health and metrics. None of them depends on anything outside the process. */
export function probes(health: Health, exposition: Exposition, replies: Replies): Routes["get"] {
    const state = (): "starting" | "draining" | "ok" =>
        health.draining() ? "draining" : health.started() ? "ok" : "starting";

    return {
        [PATHS.live]: (_, response) => replies.text(response, 200, JSON_TYPE, '{"status":"ok"}'),
        [PATHS.ready]: (_, response) => {
            const status = state() === "ok" ? 200 : 503;
            replies.text(response, status, JSON_TYPE, JSON.stringify({ status: state() }));
        },
        [PATHS.startup]: (_, response) => {
            const started = health.started();
            const body = JSON.stringify({ status: started ? "ok" : "starting" });
            replies.text(response, started ? 200 : 503, JSON_TYPE, body);
        },
        [PATHS.health]: (_, response) => {
            const body = JSON.stringify({ status: state(), ...health.report() });
            replies.text(response, 200, JSON_TYPE, body);
        },
        [PATHS.metrics]: (_, response) => {
            detach(
                exposition.metrics().then(
                    (text) => replies.text(response, 200, exposition.contentType, text),
                    (error: unknown) => replies.error(response, asHttpError(error)),
                ),
            );
        },
    };
}
