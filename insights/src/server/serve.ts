import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openHourStore } from "../impact/hourStore.ts";
import { createRecorder, type Recorder } from "../impact/recorder.ts";
import { createImpactSource } from "../impact/source.ts";
import { createPrometheus, PrometheusError, type PrometheusOptions } from "../prometheus/client.ts";
import { createAccess } from "./access.ts";
import { openArchive } from "./archive.ts";
import { loadAssets } from "./assets.ts";
import { createRoutes } from "./routes.ts";
import { openTuningRecord } from "./tuningRecord.ts";

export interface ServeOptions {
    readonly prometheus: PrometheusOptions;
    /** Folder of the hours, the daily reports and the tuner's record. */
    readonly folder: string;
    /** Number of days for which reports are kept. */
    readonly keep: number;
    /** 0: any free port. */
    readonly port: number;
    readonly accessToken: string;
    readonly print: (line: string) => void;
    /** Unix seconds. Default: now */
    readonly now?: () => number;
}

export interface RunningServer {
    readonly port: number;
    /** Ends open requests, and the reading of hours. */
    readonly stop: () => Promise<void>;
}

/** Between two looks for an hour that has ended. */
const POLL_MILLISECONDS = 30_000;
/** Open requests have this time to end. */
const DRAIN_MILLISECONDS = 8_000;

/**
 * Serves the page, its API and the reports, and reads each hour from Prometheus once.
 *
 * @throws UserError for a token that is too short or a folder that cannot be written
 */
export async function serve({
    folder,
    keep,
    port,
    print,
    now = () => Date.now() / 1000,
    ...options
}: ServeOptions): Promise<RunningServer> {
    const access = createAccess(options.accessToken, now);
    await mkdir(folder, { recursive: true });
    const archive = await openArchive(path.join(folder, "reports"), keep);
    const store = await openHourStore(path.join(folder, "hours"), print);
    const tuning = await openTuningRecord(path.join(folder, "tuning.json"));
    // A viewer waits for this answer: it is not repeated, and what it lacks is a gap until the next one.
    const prometheus = createPrometheus({
        timeoutMilliseconds: 15_000,
        retryMilliseconds: [],
        ...options.prometheus,
    });
    const recorder = createRecorder(prometheus, store, now);
    const source = createImpactSource({
        ...{ store, recorder, now },
        reports: archive.list,
        tuning: tuning.events,
        latestDecisions: tuning.latest,
    });
    const end = new AbortController();
    const answer = createRoutes({
        ...{ access, archive, tuning, source },
        assets: loadAssets(),
        isReady: () => !end.signal.aborted,
    });
    const server = createServer(
        {
            // Slow senders must not hold sockets.
            ...{
                requestTimeout: 30_000,
                headersTimeout: 10_000,
                connectionsCheckingInterval: 5_000,
            },
            // Longer than gateways keep idle connections: they would send into one that closes.
            keepAliveTimeout: 100_000,
        },
        (request, response) => void answer(request, response),
    );
    server.maxConnections = 512;
    await listen(server, port);
    const recording = recordHours(recorder, end.signal, print);
    return {
        port: (server.address() as AddressInfo).port,
        stop: async () => {
            end.abort();
            const closed = new Promise((resolve) => server.close(resolve));
            const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MILLISECONDS);
            await Promise.all([closed, recording]);
            clearTimeout(timer);
        },
    };
}

function listen(server: Server, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, resolve);
    });
}

/** Reads missing hours until the end, with as long a break after each as it took, so that Prometheus has time for others. */
async function recordHours(
    recorder: Recorder,
    signal: AbortSignal,
    print: (line: string) => void,
): Promise<void> {
    let outage = "";
    while (!signal.aborted) {
        const begin = performance.now();
        let breakMilliseconds = POLL_MILLISECONDS;
        try {
            if (await recorder.recordNext()) breakMilliseconds = performance.now() - begin;
            if (outage !== "") print("Prometheus answers again");
            outage = "";
        } catch (error) {
            // Of any cause: the figures that exist are served on.
            const reason = error instanceof PrometheusError ? error.message : String(error);
            if (reason !== outage) print(`Hours are not read: ${reason}`);
            outage = reason;
        }
        await delay(breakMilliseconds, undefined, { signal }).catch(() => undefined);
    }
}
