import type { Corpus } from "./corpus.ts";
import type { Task } from "./plan.ts";
import { seededRandom } from "../shared/random.ts";
import { simulate, type Outcome } from "./simulate.ts";
import { estimate, estimateRatio, quantileOf, type Estimate } from "./statistics.ts";
import { createStream } from "./streams.ts";

/** A setting over all seeds. Shares are in [0, 1]. */
export interface Summary {
    readonly set: string;
    readonly model: string;
    readonly stream: string;
    readonly method: string;
    readonly budget: number;
    /** "calibrated" or the fixed ρ. */
    readonly rho: string;
    readonly seeds: Seeds;
    readonly requests: number;
    /** Exact hits of a cache of exact texts. */
    readonly exact: Estimate;
    /** Semantic answers per request. */
    readonly served: Estimate;
    /** The same with the exact hits of audited texts, which would be semantic answers without audits. */
    readonly servedOrAudited: Estimate;
    /** Hits in addition to a cache of exact texts, per request: the calls saved. */
    readonly hits: Estimate;
    readonly auditsPerAnswer: Estimate;
    /** Calls saved in addition to a cache of exact texts, per exact hit of it. */
    readonly gain: Estimate;
    /** The same per text that a cache of exact texts pays for. */
    readonly saved: Estimate;
    /** Texts paid for before the first semantic answer, over the runs with one. */
    readonly paidBeforeFirst: Estimate;
    /** Wrong answers per answer. */
    readonly errorPerHit: Estimate;
    /** Wrong answers per request. */
    readonly errorPerRequest: Estimate;
    /** Published bounds at the end. */
    readonly bounds: { readonly answers: Estimate; readonly served: Estimate } | undefined;
    /** Runs in which the realised error exceeds them. */
    readonly boundFailures: { readonly answers: number; readonly served: number } | undefined;
    /** Cosine loss 1 − r of the answers: mean, and the 5 % and 1 % with the largest loss. */
    readonly loss: { readonly mean: number; readonly p5: number; readonly p1: number };
    readonly overlap: Estimate;
    readonly minCosine: number;
}

/** Consecutive seeds. */
export interface Seeds {
    readonly first: number;
    readonly count: number;
}

export function runTask(corpus: Corpus, task: Task, seeds: Seeds, requests: number): Summary {
    const { set, model, stream, method, budget, minCosine } = task;
    const runs = Array.from({ length: seeds.count }, (_, at): Outcome => {
        const random = seededRandom(seeds.first + at);
        const requestsOfSeed = createStream(stream, corpus, requests, random);
        const policy = method.create({ corpus, minCosine, budget, random });
        return simulate(corpus, requestsOfSeed, policy, minCosine ?? NaN);
    });
    const of = (value: (run: Outcome) => number): readonly number[] => runs.map(value);
    const losses = runs.flatMap(({ cosines }) => cosines.map((cosine) => 1 - cosine));
    const saved = of((run) => run.distinct - run.paid);
    const exact = of((run) => run.requests - run.distinct);
    return {
        set,
        model,
        stream,
        method: method.name,
        budget,
        rho: minCosine === undefined ? "calibrated" : String(minCosine),
        seeds,
        requests,
        exact: estimateRatio(
            exact,
            of((run) => run.requests),
        ),
        served: estimateRatio(
            of((run) => run.served),
            of((run) => run.requests),
        ),
        servedOrAudited: estimateRatio(
            of((run) => run.served + run.auditedRepeats),
            of((run) => run.requests),
        ),
        hits: estimateRatio(
            saved,
            of((run) => run.requests),
        ),
        auditsPerAnswer: estimateRatio(
            of((run) => run.audits),
            of((run) => run.audits + run.served),
        ),
        gain: estimateRatio(saved, exact),
        saved: estimateRatio(
            saved,
            of((run) => run.distinct),
        ),
        paidBeforeFirst: estimate(of((run) => run.paidBeforeFirst).filter(Number.isFinite)),
        errorPerHit: estimateRatio(
            of((run) => run.wrong),
            of((run) => run.served),
        ),
        errorPerRequest: estimateRatio(
            of((run) => run.wrong),
            of((run) => run.requests),
        ),
        bounds: runs[0]?.bounds && {
            answers: estimate(of((run) => run.bounds?.answers ?? 1)),
            served: estimate(of((run) => run.bounds?.served ?? 1)),
        },
        boundFailures: runs[0]?.bounds && {
            answers: runs.filter((run) => run.wrong > (run.bounds?.answers ?? 1) * run.served)
                .length,
            served: runs.filter((run) => run.wrong > (run.bounds?.served ?? 1) * run.served).length,
        },
        loss: {
            mean: estimate(losses).mean,
            p5: quantileOf(losses, 0.95),
            p1: quantileOf(losses, 0.99),
        },
        overlap: estimateRatio(
            of(({ overlaps }) => overlaps.reduce((sum, overlap) => sum + overlap, 0)),
            of(({ overlaps }) => overlaps.length),
        ),
        minCosine: estimate(of((run) => run.minCosine)).mean,
    };
}
