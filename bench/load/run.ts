import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { commitId, describeMachine, type Machine } from "../shared/machine.ts";
import { replay, type Second, type Summary } from "./generator.ts";
import { beginWindow, lookupsOf, readServiceCounts } from "./lookups.ts";
import {
    generatorFault,
    judge,
    verdictOf,
    type EXIT_CODES,
    type Judged,
    type Objective,
    type Run,
} from "./objectives.ts";
import { readProperties } from "./properties.ts";
import {
    createWarmup,
    KNEE,
    type LoadSettings,
    type Phase,
    type Scenario,
    type Workload,
} from "./scenarios.ts";
import type { LoadTarget } from "./target.ts";
import { createCorpus } from "./traffic/texts.ts";
import { writeTrace } from "./traffic/trace.ts";

export interface PhaseResult {
    readonly name: string;
    readonly workload: string;
    /** Of the trace; `summary.peakUsers` says how many there were at the same time. */
    readonly users: number;
    readonly scheduled: number;
    readonly summary: Summary;
    readonly seconds: readonly Second[];
    /** Lookups of the service by result, from Prometheus. */
    readonly lookups: Readonly<Record<string, number>> | undefined;
    readonly judged: readonly Judged[];
    /** Why the generator's figures are not to be trusted; undefined: they are. */
    readonly fault: string | undefined;
}

/** The result of `make load`, as in its JSON. */
export interface LoadReport {
    readonly scenario: string;
    readonly description: string;
    readonly begun: string;
    readonly finished: string;
    readonly url: string;
    readonly commit: string;
    readonly machine: Machine;
    readonly settings: LoadSettings;
    /** Whether it ended early, or has not ended. */
    readonly interrupted: boolean;
    readonly phases: readonly PhaseResult[];
    /** Goals of the whole scenario, such as the knee. */
    readonly judged: readonly Judged[];
    readonly verdict: keyof typeof EXIT_CODES;
    /** Seconds of the warm-up; undefined: there was none. */
    readonly warmupSeconds?: number | undefined;
}

export interface RunOptions {
    readonly name: string;
    readonly scenario: Scenario;
    readonly settings: LoadSettings;
    readonly target: LoadTarget;
    readonly report: (line: string) => void;
    /** A line of progress, which the next one replaces. */
    readonly showProgress: (line: string) => void;
    /** Ends the run early; the report has what was measured until then. */
    readonly signal: AbortSignal;
    /** Called when the requests of a phase begin; not for the warm-up. */
    readonly onPhase?: (name: string) => void;
    /** Called after each phase, so that a killed run loses at most one. */
    readonly save: (report: LoadReport) => void;
}

/** Runs a scenario. @throws UserError if the target lacks what it needs */
export async function runScenario(options: RunOptions): Promise<LoadReport> {
    const { name, scenario, settings, target, report, showProgress, signal, save } = options;
    const begun = new Date();
    const properties = await readProperties(target, settings.services);
    const corpus = createCorpus(settings.seed, scenario.corpus);
    const workload: Workload = { settings, corpus, properties, run: randomUUID().slice(0, 8) };
    const folder = await mkdtemp(path.join(tmpdir(), "property-search-load-"));
    const phases: PhaseResult[] = [];
    let warmupSeconds: number | undefined;
    const machine = describeMachine();
    const commit = await commitId();
    const create = (isWhole: boolean): LoadReport => {
        const judged = judgedOf(scenario, phases);
        const interrupted = !isWhole || signal.aborted;
        return {
            ...{ scenario: name, description: scenario.description, begun: begun.toISOString() },
            ...{ finished: new Date().toISOString(), url: target.url, commit, machine, settings },
            ...{ interrupted, phases, judged, warmupSeconds },
            verdict: verdictOf(judged, interrupted),
        };
    };
    try {
        if (scenario.isWarm) {
            const phase = {
                ...{ name: "warm-up", workload: "each popular text once", users: 4 },
                ...{ objectives: [], trace: () => createWarmup(workload) },
            };
            const { summary } = await runPhase(phase, { ...options, folder });
            const failures = Object.values(summary.routes).flatMap((one) =>
                Object.entries(one.failures),
            );
            report(`warm-up: ${summary.sent} requests in ${summary.seconds.toFixed(0)} s`);
            for (const [reason, count] of failures) report(`warm-up: ${count} × ${reason}`);
            warmupSeconds = summary.seconds;
        }
        for (const phase of scenario.phases(workload)) {
            if (signal.aborted) break;
            options.onPhase?.(phase.name);
            const result = await runPhase(phase, { ...options, folder });
            phases.push(result);
            // If this run is killed, its file says that it did not end.
            save(create(false));
            showProgress("");
            if (scenario.findsKnee && verdictOf(result.judged) !== "met") break;
        }
        return create(true);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

/** Goals of all phases; of a search for the knee only that of the knee. */
function judgedOf(scenario: Scenario, phases: readonly PhaseResult[]): readonly Judged[] {
    const isOne = phases.length === 1;
    if (!scenario.findsKnee) {
        return phases.flatMap(({ name, judged }) =>
            judged.map((one) => ({ ...one, goal: isOne ? one.goal : `${name}: ${one.goal}` })),
        );
    }
    const held = phases.findLast(({ judged }) => verdictOf(judged) === "met");
    const last = phases.at(-1);
    if (!last) return [];
    const knee = held && held.summary.sent / held.summary.seconds;
    // The step that did not hold may be inconclusive: then the knee is at least what held before.
    return judge([KNEE], { ...(held ?? last), knee });
}

interface PhaseOptions extends Pick<RunOptions, "target" | "showProgress" | "signal"> {
    readonly folder: string;
}

/** Replays the trace of a phase and judges it. */
export async function runPhase(
    phase: Pick<Phase, "name" | "workload" | "users" | "trace" | "objectives">,
    { target, showProgress, signal, folder }: PhaseOptions,
): Promise<PhaseResult> {
    const { name, workload, users, objectives } = phase;
    const traceFile = path.join(folder, "trace.ndjson");
    const size = await writeTrace(traceFile, phase.trace());
    const since = beginWindow();
    const measured = await replay({
        ...{ target: target.url, headers: target.headers, traceFile, signal },
        onSecond: (second) => showProgress(`${name}: ${describeSecond(second, size.seconds)}`),
    });
    const counted = await countLookups(objectives, target, since);
    const run: Run = { ...measured, scheduled: size.requests, ...counted };
    return {
        ...{ name, workload, users, scheduled: size.requests, ...measured },
        lookups: counted.lookups,
        judged: judge(objectives, run),
        fault: generatorFault(run),
    };
}

async function countLookups(
    objectives: readonly Objective[],
    { cluster }: Pick<LoadTarget, "cluster">,
    since: () => number,
): Promise<Pick<Run, "lookups" | "lookupsMissing">> {
    const isWanted = objectives.some(
        (one) => one.measure === "hitRate" && one.from === "prometheus",
    );
    if (!isWanted) return {};
    if (!cluster) return { lookupsMissing: "the target is not the cluster of make up" };
    try {
        const counts = await readServiceCounts(cluster, since());
        // The clock may also have been set while Prometheus was read.
        since();
        return { lookups: lookupsOf(counts) };
    } catch (error) {
        return { lookupsMissing: error instanceof Error ? error.message : String(error) };
    }
}

/** One line for a terminal of 80 columns. */
export function describeSecond(
    { second, sent, open, maxLag, routes }: Second,
    total: number,
): string {
    const failed = Object.values(routes).reduce((all, one) => all + one.failed, 0);
    const p99 = Math.max(0, ...Object.values(routes).map((one) => one.p99));
    const time = total > 0 ? `${second + 1} of ${Math.ceil(total)} s` : `${second + 1} s`;
    const lag = maxLag >= 1 ? `, lag ${maxLag.toFixed(0)} ms` : "";
    return `${time}, ${sent}/s, ${open} open, p99 ${p99.toFixed(1)} ms, ${failed} failed${lag}`;
}
