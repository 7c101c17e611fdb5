import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";

import type { Resolver } from "../../cache/resolve.ts";
import { HttpError } from "../../http/error.ts";
import type { KeyOf } from "../../key/key.ts";
import type { Normalise } from "../../key/normalise.ts";
import type { Log } from "../../log.ts";
import type { Knowledge } from "../knowledge.ts";
import { overBudget, type Budget, type Price } from "./budget.ts";
import { runJob, type Progress } from "./job.ts";
import { spool, type Spool } from "./spool.ts";
import { survey, type Estimate } from "./survey.ts";
import { readTexts, type TextFormat } from "./texts.ts";

export interface WarmupParts {
    /** Fills the cache that pods share, and leaves this process's own to its hot entries. */
    readonly resolver: Pick<Resolver, "resolveEach">;
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    /** Those of the keys that a cache holds. */
    readonly cached: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
    readonly price: Price;
    /** Requests of clients that wait for something now. */
    readonly waiting: () => number;
    readonly knowledge: Pick<Knowledge, "await">;
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
    readonly begun: string;
    readonly ended: string | null;
    readonly estimate: Estimate;
    readonly progress: Progress;
    /** Why it ended before its last line. */
    readonly reason: string | null;
}

export interface Warmups {
    /** Counts and prices an upload, and does nothing. */
    readonly estimate: (upload: Readable, request: WarmupRequest) => Promise<Estimate>;
    /**
     * Begins a job, which goes on without its client.
     *
     * @throws HttpError when it would be over budget, or while another one runs
     */
    readonly start: (upload: Readable, request: WarmupRequest) => Promise<Job>;
    /** The newest first. */
    readonly list: () => readonly Job[];
    readonly find: (id: string) => Job | undefined;
    /** Resolves when its last call has ended. */
    readonly cancel: (id: string) => Promise<Job | undefined>;
    readonly close: () => Promise<void>;
}

const LIMITS = { bytes: 256 * 1024 * 1024, lines: 1_000_000 };
const MAX_JOBS_KEPT = 50;

interface Kept {
    job: Job;
    readonly abort: AbortController;
    finished: Promise<void>;
}

export function warmups(parts: WarmupParts): Warmups {
    const { normalise, keysOf, cached, price, knowledge, log } = parts;
    const kept = new Map<string, Kept>();
    /** One job a pod: two would only share what the upstream gives. */
    let taken = false;

    function surveyOf(upload: Readable, { tenant, format }: WarmupRequest) {
        const lines = readTexts(upload, format, normalise, LIMITS);
        return survey(lines, { keyOf: keysOf(tenant), cached, price });
    }

    async function start(upload: Readable, request: WarmupRequest): Promise<Job> {
        if (taken) {
            const message = "Another warm-up runs on this pod: wait for its end, or cancel it";
            throw new HttpError(409, message, { code: "warmup_running" });
        }
        taken = true;
        try {
            await knowledge.await();
            const { missing, estimate } = surveyOf(upload, request);
            const spooled = await spool(missing);
            const over = overBudget(request.budget, estimate());
            if (over !== undefined) {
                await spooled.remove();
                const message = `This warm-up is estimated at ${over}`;
                throw new HttpError(422, message, { param: "budget", code: "budget_exceeded" });
            }
            return begin(spooled, estimate(), request);
        } catch (error) {
            taken = false;
            throw error;
        }
    }

    function begin(spooled: Spool, estimate: Estimate, request: WarmupRequest): Job {
        const { tenant } = request;
        const progress = { hits: estimate.cached, embedded: 0, failed: 0, tokens: 0, dollars: 0 };
        const job: Job = {
            id: randomUUID(),
            tenant,
            state: "running",
            begun: new Date().toISOString(),
            ended: null,
            estimate,
            progress: { ...progress, failures: [] },
            reason: null,
        };
        const one: Kept = { job, abort: new AbortController(), finished: Promise.resolve() };
        kept.set(job.id, one);
        for (const id of [...kept.keys()].slice(0, -MAX_JOBS_KEPT)) kept.delete(id);
        one.finished = run(one, spooled, request).then(({ state, reason }) => {
            taken = false;
            one.job = { ...one.job, state, reason, ended: new Date().toISOString() };
            const { embedded, hits, failed, tokens } = job.progress;
            log.info({ state, reason, embedded, hits, failed, tokens }, "Warm-up ended");
        });
        return job;
    }

    async function run(
        { job, abort: { signal } }: Kept,
        spooled: Spool,
        request: WarmupRequest,
    ): Promise<Pick<Job, "state" | "reason">> {
        const { tenant, budget, concurrency } = request;
        const keyOf = keysOf(tenant);
        try {
            const outcome = await runJob(spooled.read(), {
                ...parts,
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
            await spooled.remove();
        }
    }

    async function cancel(id: string): Promise<Job | undefined> {
        const one = kept.get(id);
        one?.abort.abort();
        await one?.finished;
        return one?.job;
    }

    return {
        estimate: async (upload, request) => {
            await knowledge.await();
            const { missing, estimate } = surveyOf(upload, request);
            while (!(await missing.next()).done);
            return estimate();
        },
        start,
        list: () => [...kept.values()].map(({ job }) => job).reverse(),
        find: (id) => kept.get(id)?.job,
        cancel,
        close: async () => {
            await Promise.all([...kept.keys()].map(cancel));
        },
    };
}
