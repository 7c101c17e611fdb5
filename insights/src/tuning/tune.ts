import type { RuntimeSettingsState } from "@property-search/contract";
import { createPrometheus, type PrometheusOptions, type Window } from "../prometheus/client.ts";
import type { SettingsPort } from "./admin.ts";
import { tuneConceptRules } from "./conceptRules.ts";
import { decide, takeBack, TUNER, type Outcome, type Values } from "./decide.ts";
import { observe } from "./observe.ts";
import {
    emptyRecord,
    type Decision,
    type Mode,
    type TermPairProposal,
    type TuningRecord,
} from "./record.ts";
import type { RecordStore } from "./recordStore.ts";

export interface TuneOptions {
    readonly prometheus: PrometheusOptions;
    readonly settings: SettingsPort;
    readonly store: RecordStore;
    readonly mode: Mode;
    /** Of concept rules; `off`: they are not looked at. */
    readonly rulesMode: Mode;
    readonly window: Window;
    /** Undefined: the storage's hourly cost over the memory limit of Redis. */
    readonly dollarsPerGibHour: number | undefined;
    readonly now: Date;
    readonly print: (line: string) => void;
}

/**
 * Decides about the run-time settings from the latest day, and applies what it decides. A decision is recorded before it is
 * applied, so that no change is without a record.
 *
 * @throws UserError if Prometheus, the service or the record cannot be reached; then nothing is changed, or the record says so
 */
export async function tune(options: TuneOptions): Promise<TuningRecord> {
    const { settings, store, mode, rulesMode, now } = options;
    const state = await settings.read();
    if (mode === "off") return switchOff(options, state);
    const record = (await store.read()) ?? emptyRecord(now);
    const outcome = await decideDay(options, mode, state, record);
    await store.write(outcome.record);
    await apply(options, state, outcome);
    if (rulesMode === "off") return outcome.record;
    const isAutomatic = rulesMode === "automatic" && state.tuning === "allowed";
    const { termCounts: known = [] } = outcome.record.state;
    const { termPairs, termCounts } = await tuneConceptRules(settings, isAutomatic, known);
    const complete = {
        ...outcome.record,
        state: { ...outcome.record.state, termPairs, termCounts },
    };
    await store.write(complete);
    for (const pair of termPairs) options.print(describePair(pair));
    return complete;
}

/**
 * Takes back what was tuned. It needs the service alone: neither Prometheus nor a record that cannot be read or written keeps
 * a change in force.
 *
 * @throws UserError of the record, after the changes have been taken back
 */
async function switchOff(
    { settings, store, now }: TuneOptions,
    state: RuntimeSettingsState,
): Promise<TuningRecord> {
    const problems: unknown[] = [];
    const keep = (error: unknown) => void problems.push(error);
    const found = await store.read().catch(keep);
    const { record, values } = takeBack({
        record: found ?? emptyRecord(now),
        settings: state,
        now,
    });
    // One that could not be read must not be replaced.
    if (problems.length === 0) await store.write(record).catch(keep);
    await change(settings, state, values, "tuning is off");
    if (problems.length > 0) throw problems[0];
    return record;
}

/** @throws UserError if the change is not in force */
async function change(
    settings: SettingsPort,
    { version }: RuntimeSettingsState,
    values: Values,
    reason: string,
): Promise<void> {
    if (Object.keys(values).length === 0) return;
    try {
        await settings.change(version + 1, values, reason);
    } catch (error) {
        // If only the answer was lost, the change is in force: the service knows.
        const found = await settings.read().catch(() => undefined);
        if (found?.version !== version + 1 || found.actor !== TUNER) throw error;
    }
}

async function apply(
    { settings, store, now, print }: TuneOptions,
    state: RuntimeSettingsState,
    { record, values }: Outcome,
): Promise<void> {
    const decisions = record.decisions.filter(({ at }) => at === now.toISOString());
    for (const decision of decisions) print(describe(decision));
    const reasons = decisions.filter(({ to }) => to !== null).map(({ reason }) => reason);
    try {
        await change(settings, state, values, reasons.join("; "));
    } catch (error) {
        await store.write(markNotApplied(record, now, error));
        throw error;
    }
}

async function decideDay(
    options: TuneOptions,
    mode: Exclude<Mode, "off">,
    settings: RuntimeSettingsState,
    record: TuningRecord,
): Promise<Outcome> {
    const { window, dollarsPerGibHour, now } = options;
    const prometheus = createPrometheus(options.prometheus);
    const staleSeconds = settings.staleIfErrorSeconds;
    const day = await observe({ prometheus, window, dollarsPerGibHour, staleSeconds, now });
    return decide({ record, day, settings, mode, now });
}

/** A rollback that was not applied leaves its change in force, to be compared again. */
function markNotApplied(record: TuningRecord, now: Date, error: unknown): TuningRecord {
    const at = now.toISOString();
    const failed = record.decisions.filter((one) => one.at === at && one.to !== null);
    const rolledBack = new Set(
        failed.filter(({ action }) => action === "roll back").map(({ setting }) => setting),
    );
    const message = error instanceof Error ? error.message : String(error);
    return {
        ...record,
        decisions: record.decisions.map((one): Decision => {
            if (failed.includes(one)) return { ...one, status: "not applied", outcome: message };
            const isReopened =
                rolledBack.has(one.setting) && one === lastRolledBack(record, one.setting);
            return isReopened ? { ...one, status: "in force" } : one;
        }),
    };
}

function lastRolledBack({ decisions }: TuningRecord, setting: string): Decision | undefined {
    return decisions.findLast((one) => one.setting === setting && one.status === "rolled back");
}

function describe({ setting, action, from, to, reason }: Decision): string {
    return to === null
        ? `${setting}: ${action} ${from}, ${reason}`
        : `${setting}: ${action} ${from} to ${to}, ${reason}`;
}

function describePair({ terms, kind, right, wrong, status }: TermPairProposal): string {
    return `concept rules: ${kind} ${terms.join(", ")} ${status} (answers right in ${right} contexts, wrong in ${wrong})`;
}
