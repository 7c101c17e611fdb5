import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";

import type { Resolver } from "../../cache/resolver.ts";
import { HttpError } from "../../http/protocol/error.ts";
import type { KeyOf } from "../../key/key.ts";
import type { Normalise } from "../../key/normalise.ts";
import type { Log } from "../../log.ts";
import type { DataReadiness } from "../dataReadiness.ts";
import { budgetExcess, type Budget, type Price } from "./budget.ts";
import { runJob, type Progress } from "./job.ts";
import { createSpool, type Spool } from "./spool.ts";
import { planWarmup, type Estimate } from "./planWarmup.ts";
import { readTexts, type TextFormat } from "./texts.ts";

export interface WarmupDependencies {
    /** Fills the shared cache, but not the local cache, which keeps the hot entries. */
    readonly resolver: Pick<Resolver, "resolveEach">;
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    /** @returns the keys that a cache holds */
    readonly findCached: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
    readonly price: Price;
    /** Number of client requests that wait for a vector. */
    readonly waitingRequests: () => number;
    readonly readiness: Pick<DataReadiness, "waitUntilComplete">;
    readonly log: Log;
}

export interface WarmupRequest {
    readonly tenant: string;
    readonly format: TextFormat;
    readonly budget: Budget;
    readonly concurrency: number;
}

export const JOB_STATES = ["running", "done", "stopped", "cancelled", "failed"] as const;

export interface Job {
    readonly id: string;
    readonly tenant: string;
    readonly state: (typeof JOB_STATES)[number];
    readonly startedAt: string;
    readonly endedAt: string | null;
    readonly estimate: Estimate;
    readonly progress: Progress;
    /** Why it ended before its last line. */
    readonly reason: string | null;
}

export interface Warmups {
    /** Counts and prices an upload without embedding it. */
    readonly estimate: (upload: Readable, request: WarmupRequest) => Promise<Estimate>;
    /**
     * Starts a job that continues without its client's connection.
     *
     * @throws HttpError if the estimate exceeds the budget, or while another job is running
     */
    readonly start: (upload: Readable, request: WarmupRequest) => Promise<Job>;
    /** Newest first. */
    readonly list: () => readonly Job[];
    readonly find: (id: string) => Job | undefined;
    /** Resolves when the last call has ended. */
    readonly cancel: (id: string) => Promise<Job | undefined>;
    readonly close: () => Promise<void>;
}

const LIMITS = { bytes: 256 * 1024 * 1024, lines: 1_000_000 };
const MAX_LISTED_JOBS = 50;

interface ListedJob {
    job: Job;
    readonly abort: AbortController;
    finished: Promise<void>;
}

export function createWarmups(dependencies: WarmupDependencies): Warmups {
    const { normalise, keysOf, findCached, price, readiness, log } = dependencies;
    const listed = new Map<string, ListedJob>();
    /** One job per pod: concurrent jobs would only share the throughput of the upstream. */
    let isRunning = false;

    function plan(upload: Readable, { tenant, format }: WarmupRequest) {
        const lines = readTexts(upload, format, normalise, LIMITS);
        return planWarmup(lines, { keyOf: keysOf(tenant), findCached, price });
    }

    async function start(upload: Readable, request: WarmupRequest): Promise<Job> {
        if (isRunning) {
            const message =
                "Another warm-up is running on this pod; wait until it has ended, or cancel it";
            throw new HttpError(409, message, { code: "warmup_running" });
        }
        isRunning = true;
        try {
            await readiness.waitUntilComplete();
            const { missing, estimate } = plan(upload, request);
            const spool = await createSpool(missing);
            const excess = budgetExcess(request.budget, estimate());
            if (excess !== undefined) {
                await spool.remove();
                const message = `This warm-up is estimated at ${excess}`;
                throw new HttpError(422, message, { param: "budget", code: "budget_exceeded" });
            }
            return begin(spool, estimate(), request);
        } catch (error) {
            isRunning = false;
            throw error;
        }
    }

    function begin(spool: Spool, estimate: Estimate, request: WarmupRequest): Job {
        const { tenant } = request;
        const progress = { hits: estimate.cached, embedded: 0, failed: 0, tokens: 0, dollars: 0 };
        const job: Job = {
            id: randomUUID(),
            tenant,
            state: "running",
            startedAt: new Date().toISOString(),
            endedAt: null,
            estimate,
            progress: { ...progress, failures: [] },
            reason: null,
        };
        const listedJob: ListedJob = {
            job,
            abort: new AbortController(),
            finished: Promise.resolve(),
        };
        listed.set(job.id, listedJob);
        for (const id of [...listed.keys()].slice(0, -MAX_LISTED_JOBS)) listed.delete(id);
        listedJob.finished = run(listedJob, spool, request).then(({ state, reason }) => {
            isRunning = false;
            listedJob.job = { ...listedJob.job, state, reason, endedAt: new Date().toISOString() };
            const { embedded, hits, failed, tokens } = job.progress;
            log.info({ state, reason, embedded, hits, failed, tokens }, "Warm-up ended");
        });
        return job;
    }

    async function run(
        { job, abort: { signal } }: ListedJob,
        spool: Spool,
        request: WarmupRequest,
    ): Promise<Pick<Job, "state" | "reason">> {
        const { tenant, budget, concurrency } = request;
        const keyOf = keysOf(tenant);
        try {
            const outcome = await runJob(spool.read(), {
                ...dependencies,
                itemOf: (text) => {
                    const input = { kind: "text", text } as const;
                    return { input, key: keyOf(input, undefined) };
                },
                tenant,
                budget,
                concurrency,
                signal,
                progress: job.progress,
            });
            return outcome ?? { state: "done", reason: null };
        } catch (error) {
            if (signal.aborted) return { state: "cancelled", reason: null };
            log.error({ error: String(error) }, "A warm-up failed");
            return { state: "failed", reason: "the service failed; see its log" };
        } finally {
            await spool.remove();
        }
    }

    async function cancel(id: string): Promise<Job | undefined> {
        const listedJob = listed.get(id);
        listedJob?.abort.abort();
        await listedJob?.finished;
        return listedJob?.job;
    }

    return {
        estimate: async (upload, request) => {
            await readiness.waitUntilComplete();
            const { missing, estimate } = plan(upload, request);
            while (!(await missing.next()).done);
            return estimate();
        },
        start,
        list: () => [...listed.values()].map(({ job }) => job).reverse(),
        find: (id) => listed.get(id)?.job,
        cancel,
        close: async () => {
            await Promise.all([...listed.keys()].map(cancel));
        },
    };
}
