import { PATHS } from "@property-search/contract";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { replay, type Summary } from "../../load/generator.ts";
import { readProperties } from "../../load/properties.ts";
import { SERVICES } from "../../load/traffic/requests.ts";
import { writeTrace, type TraceEntry } from "../../load/traffic/trace.ts";
import { localModel, modelDirectory } from "../../service/peers/service/localModel.ts";
import { service } from "../../service/peers/service/service.ts";
import { freePort } from "../../service/processes/network.ts";
import type { Processes, RunningProcess } from "../../service/processes/processes.ts";
import { startRedis } from "../../service/processes/redis.ts";
import { BenchError } from "../../shared/benchError.ts";
import { chooseCores } from "../../shared/machine.ts";
import { parseLedger, subtractLedger, type Ledger } from "./counters.ts";
import { compress, createDay, type DayOptions } from "./trace.ts";

/** The property search of the repository. */
const CONSUMER = path.resolve(import.meta.dirname, "../../../examples/property-search/src/main.ts");
/** The local model has no upstream. */
const UNUSED_UPSTREAM = new URL("http://127.0.0.1:9");
const READY_SECONDS = 120;
/** A slow machine may take longer: each request is sent, since it is counted. */
const GRACE_SECONDS = 600;
/** Visits at the same time in the compressed day. */
const USERS = 48;

/** One replayed day. */
export interface DayResult {
    readonly ledger: Ledger;
    /** Embedding requests, which each had one text. */
    readonly requests: number;
    /** Without an answer of 2xx. */
    readonly failed: number;
    /** Answers and hits by service, from x-cache. */
    readonly services: Readonly<
        Record<string, { readonly answered: number; readonly hits: number }>
    >;
    readonly seconds: number;
}

export interface ReplayOptions {
    readonly day: DayOptions;
    /** Seconds in which a day is replayed. */
    readonly seconds: number;
    readonly processes: Processes;
    readonly showProgress: (line: string) => void;
    readonly signal: AbortSignal;
}

/**
 * Replays two days against the real service with its local model and a real Redis, through the property search: the first
 * from an empty cache, the second with what the first one left. A day takes `seconds`; entries live for a week, so no
 * lifetime ends in either.
 *
 * @throws BenchError if a process cannot be started
 */
export async function replayDays(options: ReplayOptions): Promise<readonly [DayResult, DayResult]> {
    const { processes, showProgress } = options;
    const cores = chooseCores();
    await localModel.install(showProgress);
    const redis = await startRedis(processes, cores.generator);
    const running = await service("service", "the service with its local model and Redis", () => ({
        provider: "local",
        model: localModel.model,
        modelDirectory: modelDirectory(),
        redisUrl: redis.href,
    })).start({ processes, core: cores.server, redis, upstream: UNUSED_UPSTREAM });
    const consumer = await startConsumer(running.url, processes, cores.generator);
    const properties = await readProperties({ url: consumer.url, headers: {} }, SERVICES);
    const urls = { service: running.url.origin, consumer: consumer.url };
    const first = await replayDay(0, properties, urls, options);
    const second = await replayDay(1, properties, urls, options);
    await Promise.all([consumer.stop(), running.stop()]);
    return [first, second];
}

async function startConsumer(
    embeddings: URL,
    processes: Processes,
    core: number,
): Promise<RunningProcess & { readonly url: string }> {
    if (!existsSync(CONSUMER)) throw new BenchError("examples/property-search does not exist");
    const port = await freePort();
    const running = processes.start(process.execPath, [CONSUMER], {
        ...{ name: "property-search", core },
        env: { EMBEDDING_URL: `${embeddings.origin}/v1`, PORT: `${port}`, NODE_ENV: "production" },
    });
    const url = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + READY_SECONDS * 1000;
    while (!(await isReady(`${url}${PATHS.ready}`))) {
        if (running.hasEnded() || Date.now() > deadline)
            throw new BenchError(`examples/property-search is not ready:\n${running.output()}`);
        await delay(200);
    }
    return { ...running, url };
}

async function isReady(url: string): Promise<boolean> {
    try {
        const response = await fetch(url);
        await response.body?.cancel();
        return response.ok;
    } catch {
        return false;
    }
}

interface Urls {
    readonly service: string;
    readonly consumer: string;
}

async function replayDay(
    number: number,
    properties: readonly string[],
    { service, consumer }: Urls,
    { day, seconds, processes, showProgress, signal }: ReplayOptions,
): Promise<DayResult> {
    const before = await readLedger(service);
    const entries = createDay(day, number, properties);
    const traceFile = path.join(processes.folder, `day${number}.ndjson`);
    const direct = new URL(service).host;
    await writeTrace(traceFile, sendTo(direct, compress(entries, seconds, USERS)));
    const { summary } = await replay({
        ...{ target: consumer, headers: {}, traceFile, signal },
        graceSeconds: GRACE_SECONDS,
        onSecond: ({ second }) => {
            showProgress(`day ${number + 1} of 2: ${second + 1} s, about ${seconds} s`);
        },
    });
    signal.throwIfAborted();
    const ledger = subtractLedger(await readLedger(service), before);
    return { ledger, ...describeDay(summary, entries.length) };
}

/** Embeds go to the service itself, as those of any other client of it. */
function* sendTo(server: string, entries: Iterable<TraceEntry>): Generator<TraceEntry> {
    for (const entry of entries) yield entry.route === "embed" ? { ...entry, server } : entry;
}

function describeDay(summary: Summary, requests: number): Omit<DayResult, "ledger"> {
    const routes = Object.entries(summary.routes);
    const failed = routes.reduce((all, [, one]) => all + one.failed, 0);
    return {
        requests,
        failed: failed + requests - summary.sent,
        services: Object.fromEntries(
            routes.map(([route, { answered, hits }]) => [route, { answered, hits }]),
        ),
        seconds: summary.seconds,
    };
}

async function readLedger(url: string): Promise<Ledger> {
    return parseLedger(await (await fetch(`${url}${PATHS.metrics}`)).text());
}
