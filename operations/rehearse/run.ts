import { UserError } from "@property-search/contract";
import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { clusterId } from "../deploy/binding.ts";
import { messageOf, type Cluster } from "../cluster/connect.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import { openClient } from "./client.ts";
import {
    openAlertSources,
    readAlerts,
    readForSeconds,
    watchAlerts,
    type AlertWatch,
} from "./alerts.ts";
import {
    EVIDENCE_SCHEMA,
    judge,
    round,
    withGoal,
    writeEvidence,
    type Evidence,
    type Figure,
    type Step,
} from "./evidence.ts";
import { journalFile, readJournal, removeJournal, writeJournal } from "./journal.ts";
import { describeMake, requireMake } from "./make.ts";
import type { Rehearsal, RehearsalContext, RehearsalTarget } from "./rehearsal.ts";
import { startTraffic, type Traffic } from "./traffic.ts";
import { waitUntil } from "./wait.ts";
import { redisMode } from "./workloads.ts";

const PER_SECOND = 10;
/** Undisturbed traffic before a fault: the first hit rate is measured over its last ten seconds. */
const BASELINE_SECONDS = 11;
/** A quick run does not wait for alerts with a longer `for`. */
const QUICK_FOR_SECONDS = 120;
/** Scrape, two evaluations and a busy machine, in addition to a rule's `for`. */
const ALERT_SLACK_SECONDS = 90;
const MAX_SECONDS = 3600;

export interface RunOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly contextWords: readonly string[];
    readonly quick: boolean;
    /** Folder of evidence files. */
    readonly out: string;
    readonly report: (line: string) => void;
    readonly signal: AbortSignal;
    readonly find: (name: string) => Rehearsal;
}

/** Puts back what an interrupted rehearsal of this cluster has left. The caller holds the lock of the cluster. */
export async function putBackInterrupted(options: RunOptions): Promise<void> {
    const file = journalFile(await clusterId(options.cluster));
    const journal = await readJournal(file);
    if (journal === undefined) return;
    options.report(`putting back what an interrupted rehearsal ${journal.rehearsal} has left`);
    const rehearsal = options.find(journal.rehearsal);
    await withTarget(options, Date.now(), [], undefined, async (target) => {
        if (journal.saved !== null) await rehearsal.putBack(target, journal.saved as never);
    });
    await removeJournal(file);
}

/**
 * Runs a rehearsal: background traffic, the fault, what operators do about it, putting back, and the evidence. The caller
 * holds the lock of the cluster.
 *
 * @throws UserError if the precondition does not hold; nothing was changed then
 */
export async function runRehearsal(
    rehearsal: Rehearsal,
    options: RunOptions,
): Promise<{ readonly evidence: Evidence; readonly file: string }> {
    const { cluster, stack, report, signal, quick, out } = options;
    const started = Date.now();
    const steps: Step[] = [];
    const base = await describeRun(rehearsal, options, started);
    const reason = await withTarget(options, started, steps, signal, async (target) =>
        rehearsal.inapplicable?.(target),
    );
    if (reason !== undefined) {
        const evidence: Evidence = { ...base, verdict: "not-applicable", reasons: [reason] };
        return { evidence, file: await writeEvidence(out, evidence) };
    }
    await assertUndisturbed(rehearsal, cluster);
    const journal = journalFile(await clusterId(cluster));
    const identity = { rehearsal: rehearsal.name, startedAt: base.startedAt };
    await writeJournal(journal, { ...identity, saved: null });

    const sources = await openAlertSources(cluster);
    const traffic = await startTraffic({
        client: await openClient(cluster, stack),
        perSecond: rehearsal.perSecond ?? PER_SECOND,
        maxSeconds: MAX_SECONDS,
        run: base.startedAt,
    });
    const alerts = await watchAlerts(sources, started);
    const figures: Figure[] = [];
    const problems: string[] = [];
    const putBackProblems: string[] = [];
    let saved: unknown = null;
    let faultAt: number | undefined;
    let mode = base.cluster.redisMode;
    const save = async (state: unknown) => {
        saved = state;
        await writeJournal(journal, { ...identity, saved });
    };

    const withContext = (target: RehearsalTarget): RehearsalContext => ({
        ...target,
        quick,
        traffic,
        alerts,
        save,
        beginFault: async (state) => {
            await delay(BASELINE_SECONDS * 1000, undefined, { signal });
            await save(state);
            mode = await redisMode(cluster);
            faultAt = Date.now();
            return faultAt;
        },
        expectAlert: async (alert, delaySeconds = 0) => {
            const long = (await readForSeconds(sources, alert)) ?? Infinity;
            const state = quick && long > QUICK_FOR_SECONDS ? "pending" : "firing";
            report(`waiting until ${alert} is ${state} (its rule: for ${long} s)`);
            await waitUntil(
                `${alert} is ${state}`,
                () => Promise.resolve(alerts.hasState(alert, state)),
                {
                    seconds: (state === "firing" ? long : 0) + delaySeconds + ALERT_SLACK_SECONDS,
                    signal,
                },
            );
        },
        expectResolved: async (seconds) => {
            for (const alert of rehearsal.alerts) {
                report(`waiting until ${alert} is resolved`);
                const isResolved = () => Promise.resolve(alerts.isResolved(alert));
                await waitUntil(`${alert} is resolved`, isResolved, { seconds, signal });
            }
        },
        waitFor: (condition, check, seconds) =>
            waitUntil(condition, async () => check(), { seconds, signal }),
        figure: (figure) => figures.push(figure),
        measure: (name, unit, value) => figures.push({ name, unit, value: round(value) }),
    });

    try {
        await withTarget(options, started, steps, signal, (target) =>
            rehearsal.run(withContext(target)),
        );
    } catch (error) {
        if (!signal.aborted) problems.push(error instanceof Error ? error.message : String(error));
    }
    await stopTraffic(traffic);
    figures.unshift(failedRequests(rehearsal, traffic));
    try {
        if (saved !== null) {
            report("putting everything back as it was");
            await withTarget(options, started, steps, undefined, (target) =>
                rehearsal.putBack(target, saved as never),
            );
        }
        await removeJournal(journal);
    } catch (error) {
        putBackProblems.push(error instanceof Error ? error.message : String(error));
    }
    const unknown = signal.aborted ? undefined : await findUnknownAlerts(alerts, faultAt);
    if (unknown !== undefined) problems.push(unknown);
    await alerts.stop();
    const evidence: Evidence = {
        ...base,
        cluster: { ...base.cluster, redisMode: mode },
        ...judge(
            figures,
            [...problems, ...putBackProblems.map((problem) => `not put back: ${problem}`)],
            signal.aborted,
        ),
        seconds: round((Date.now() - started) / 1000),
        steps,
        alerts: alerts.records(rehearsal.alerts),
        traffic: traffic.record(faultAt),
        figures,
        putBack: { done: putBackProblems.length === 0, problems: putBackProblems },
    };
    return { evidence, file: await writeEvidence(out, evidence) };
}

/** @returns why it is not known which alerts the fault caused; undefined: it is */
export async function findUnknownAlerts(
    alerts: Pick<AlertWatch, "answeredAt">,
    faultAt: number | undefined,
    seconds = 60,
): Promise<string | undefined> {
    if (faultAt === undefined) return undefined;
    const hasAnswered = () => Promise.resolve(alerts.answeredAt() > faultAt);
    return waitUntil("Prometheus answers after the fault", hasAnswered, { seconds }).then(
        () => undefined,
        (error: unknown) => `it is not known which alerts fired: ${messageOf(error)}`,
    );
}

function failedRequests({ isOutage = false }: Rehearsal, traffic: Traffic): Figure {
    const name = "failed requests";
    const value = traffic.failed();
    return isOutage ? { name, unit: "", value } : withGoal(name, "", value, "==", 0);
}

/** Ends the traffic; its open requests may wait for what is down. */
async function stopTraffic(traffic: Traffic): Promise<void> {
    await Promise.race([traffic.stop(), delay(20_000, undefined, { ref: false })]);
}

async function describeRun(
    { name, purpose, precondition }: Rehearsal,
    { cluster, stack, quick }: RunOptions,
    started: number,
): Promise<Omit<Evidence, "verdict" | "reasons">> {
    const { stdout } = await execa("git", ["rev-parse", "--short", "HEAD"], {
        cwd: import.meta.dirname,
        reject: false,
    });
    return {
        schema: EVIDENCE_SCHEMA,
        rehearsal: name,
        purpose,
        quick,
        startedAt: new Date(started).toISOString(),
        seconds: 0,
        cluster: {
            context: cluster.context,
            id: await clusterId(cluster),
            stack,
            redisMode: await redisMode(cluster),
        },
        commit: stdout === "" ? "unknown" : stdout,
        precondition,
        steps: [],
        alerts: [],
        traffic: { perSecond: 0, sent: 0, failed: 0, failures: {} },
        figures: [],
        putBack: { done: true, problems: [] },
    };
}

/** @throws UserError while something else disturbs the cluster, whose effects would be counted as the rehearsal's */
async function assertUndisturbed({ name, alerts }: Rehearsal, cluster: Cluster): Promise<void> {
    const found = await readSwitch(cluster);
    if (isUnderWay(found)) {
        throw new UserError(
            `rehearsal ${name} needs an undisturbed cluster, and switch ${found.id} to ${found.to} is in progress; ` +
                "complete it or roll it back first",
        );
    }
    const present = await readAlerts(await openAlertSources(cluster));
    const active = present.filter(({ alert }) => alerts.includes(alert));
    if (active.length === 0) return;
    const words = active.map(({ alert, state }) => `${alert} (${state})`).join(", ");
    throw new UserError(
        `rehearsal ${name} provokes alerts that exist already: ${words}; wait until they have ended`,
    );
}

async function withTarget<T>(
    { cluster, stack, contextWords, report }: RunOptions,
    started: number,
    steps: Step[],
    signal: AbortSignal | undefined,
    work: (target: RehearsalTarget) => Promise<T>,
): Promise<T> {
    const folder = await mkdtemp(path.join(tmpdir(), "rehearsal-"));
    const timed = async <R>(
        does: string,
        command: string | undefined,
        action: () => Promise<R>,
    ): Promise<R> => {
        const begun = Date.now();
        report(command === undefined ? does : `${does}: ${command}`);
        try {
            return await action();
        } finally {
            const at = round((begun - started) / 1000);
            const seconds = round((Date.now() - begun) / 1000);
            steps.push({ at, does, ...(command !== undefined && { command }), seconds });
        }
    };
    try {
        return await work({
            ...{ cluster, stack, contextWords, signal, folder },
            make: (does, words) =>
                timed(does, describeMake(words), () => requireMake(words, { signal })),
            step: (does, action) => timed(does, undefined, action),
        });
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}
