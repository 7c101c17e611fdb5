import {
    RUNTIME_SETTINGS,
    type RuntimeSetting,
    type RuntimeSettingsState,
    type RuntimeSettingState,
} from "@property-search/contract";
import {
    meanLocalCacheEvidence,
    meanTtlEvidence,
    type Evidence,
    type LocalCacheEvidence,
    type TtlEvidence,
} from "./evidence.ts";
import { compareLocalCache, proposeLocalCache } from "./localCache.ts";
import type { Change, Comparison, Proposal } from "./proposal.ts";
import { MAX_DAYS, MAX_DECISIONS, type Decision, type Mode, type TuningRecord } from "./record.ts";
import { compareTtl, proposeTtl } from "./ttl.ts";

/** The latest day. */
export interface Day {
    /** Day of the window's end in UTC. */
    readonly day: string;
    /** Milliseconds since the Unix epoch. */
    readonly from: number;
    readonly to: number;
    /** Why it decides nothing: counts are missing, or there was a release; a string, or its evidence. */
    readonly evidence: Evidence | string;
}

export interface DecisionArgs {
    readonly record: TuningRecord;
    readonly day: Day;
    readonly settings: RuntimeSettingsState;
    readonly mode: Mode;
    readonly now: Date;
}

/** Values to set; null: the configured value. */
export type Values = Partial<Record<RuntimeSetting, number | null>>;

export interface Outcome {
    readonly record: TuningRecord;
    readonly values: Values;
}

/** Actor of the tuner's changes. */
export const TUNER = "tuner";
/** Changes of one setting are this far apart: a run each day is not exactly a day later. */
const MIN_INTERVAL_MILLISECONDS = 20 * 3_600_000;
const COOLDOWN_MILLISECONDS = 3 * 86_400_000;
/** A day that begins this much before a change still shows its effect. */
const LEAD_MILLISECONDS = 3_600_000;
/** Clocks differ by less. */
const CLOCK_TOLERANCE_MILLISECONDS = 300_000;

interface Tuning<E> {
    readonly evidenceOf: (evidence: Evidence) => E | string;
    readonly mean: (days: readonly E[]) => E | undefined;
    readonly propose: (
        evidence: E,
        current: number,
        state: RuntimeSettingState,
        recentValues: readonly number[],
    ) => Proposal;
    readonly compare: (evidence: E, change: Change) => Comparison;
}

const TTL: Tuning<TtlEvidence> = {
    evidenceOf: ({ cacheTtlSeconds }) => cacheTtlSeconds,
    mean: meanTtlEvidence,
    propose: (evidence, current, _, recentValues) => proposeTtl(evidence, current, recentValues),
    compare: compareTtl,
};
const LOCAL_CACHE: Tuning<LocalCacheEvidence> = {
    evidenceOf: ({ localCacheMaxEntries }) => localCacheMaxEntries,
    mean: meanLocalCacheEvidence,
    propose: proposeLocalCache,
    compare: compareLocalCache,
};

/** Decides about each setting from the latest complete days. It has no effects: `values` are to be set. */
export function decide(args: DecisionArgs): Outcome {
    const { record, day, mode, now } = args;
    // This run has decided already.
    if (record.decisions.some(({ at }) => at === now.toISOString())) return { record, values: {} };
    const days = updateDays(record, day, now);
    const results = [
        decideSetting("cacheTtlSeconds", TTL, days, args),
        decideSetting("localCacheMaxEntries", LOCAL_CACHE, days, args),
    ];
    const changed = new Map(results.flatMap(({ updated }) => updated).map((one) => [one.id, one]));
    const added = results.flatMap(({ added: one }) => one);
    const kept = record.decisions.map((one) => changed.get(one.id) ?? one);
    return {
        record: {
            ...record,
            state: { ...record.state, mode, updatedAt: now.toISOString(), days },
            decisions: [...kept, ...added].slice(-MAX_DECISIONS),
        },
        values: Object.assign({}, ...results.map(({ values }) => values)) as Values,
    };
}

type Days = TuningRecord["state"]["days"];

/** Keeps the complete days of the last week; a clock that jumped may have recorded others. */
function updateDays({ state }: TuningRecord, { day, evidence }: Day, now: Date): Days {
    const oldest = dayOf(now.getTime() - MAX_DAYS * 86_400_000);
    const known = state.days.filter((one) => one.day !== day && one.day > oldest && one.day < day);
    return typeof evidence === "string" ? known : [...known, { day, evidence }].slice(-MAX_DAYS);
}

interface SettingResult {
    /** Earlier decisions with a new status. */
    readonly updated: readonly Decision[];
    readonly added: readonly Decision[];
    readonly values: Values;
}

function decideSetting<E>(
    setting: RuntimeSetting,
    tuning: Tuning<E>,
    days: Days,
    { record, day, settings, mode, now }: DecisionArgs,
): SettingResult {
    const state = settings.settings[setting];
    const all = record.decisions.filter((one) => one.setting === setting);
    const changes = all.filter(
        ({ action, status }) => isChange(action) && status !== "not applied",
    );
    const last = changes.at(-1);
    const current = state.value ?? state.configured;
    const entry = (
        decision: Partial<Decision> & Pick<Decision, "action" | "reason">,
    ): Decision => ({
        id: `${now.toISOString()}/${setting}`,
        at: now.toISOString(),
        day: day.day,
        setting,
        from: current,
        to: null,
        status: "none",
        prediction: null,
        measured: null,
        outcome: null,
        ...decision,
    });
    const keep = (reason: string, updated: readonly Decision[] = []): SettingResult => ({
        updated,
        added: [entry({ action: "keep", reason })],
        values: {},
    });

    const future = changes.find(
        ({ at }) => Date.parse(at) > now.getTime() + CLOCK_TOLERANCE_MILLISECONDS,
    );
    if (future) return keep(`the clock is before the change of ${future.at}: it has jumped`);
    const open = last?.status === "in force" ? last : undefined;
    // A change to the configured value leaves no tuned one.
    const isInForce =
        current === open?.to && (state.source === "tuned" || current === state.configured);
    const updated: Decision[] = [];
    if (open && !isInForce)
        updated.push({
            ...open,
            status: "superseded",
            outcome: describeSuperseder(settings, state),
        });
    const hindrance = findHindrance(settings, state);
    if (hindrance !== undefined) return keep(hindrance, updated);
    if (typeof day.evidence === "string") return keep(day.evidence, updated);
    const evidence = tuning.evidenceOf(day.evidence);
    if (typeof evidence === "string") return keep(evidence, updated);

    const recentValues = recentValuesOf(changes, now);
    const sinceLast = last ? now.getTime() - Date.parse(last.at) : Infinity;
    if (open && isInForce && open.prediction) {
        const { prediction } = open;
        if (day.from < Date.parse(prediction.checkAfter) - LEAD_MILLISECONDS)
            return keep(`the change of ${open.day} has not been in force for a whole day`);
        const change = { from: open.from, to: current, prediction, recentValues };
        const { figure, holds, words } = tuning.compare(evidence, change);
        const measured = { day: day.day, figure, holds };
        const compared = { ...open, measured, outcome: words };
        if (!holds && mode === "review")
            return keep(
                `the change of ${open.day} missed its prediction, and review mode does not take it back: ${words}`,
                [compared],
            );
        if (!holds)
            return {
                updated: [{ ...compared, status: "rolled back" }],
                added: [
                    entry({
                        action: "roll back",
                        to: open.from,
                        reason: `the change of ${open.day} missed its prediction: ${words}`,
                    }),
                ],
                values: { [setting]: valueFor(open.from, state) },
            };
        updated.push({ ...compared, status: "confirmed" });
    }
    const isCooling = last?.action === "roll back" && sinceLast < COOLDOWN_MILLISECONDS;
    if (isCooling)
        return keep(`a change was rolled back on ${last.day}: no other for three days`, updated);
    if (sinceLast < MIN_INTERVAL_MILLISECONDS)
        return keep(`it was changed on ${last?.day ?? ""}: once a day at most`, updated);

    const evidences = days
        .map((one) => tuning.evidenceOf(one.evidence))
        .filter((one): one is Exclude<typeof one, string> => typeof one !== "string");
    const mean = tuning.mean(evidences) ?? evidence;
    const { to, reason, prediction } = tuning.propose(mean, current, state, recentValues);
    if (to === undefined || prediction === undefined) return keep(reason, updated);
    const isAutomatic = mode === "automatic";
    return {
        updated,
        added: [
            entry({
                action: isAutomatic ? "change" : "propose",
                to,
                reason,
                status: isAutomatic ? "in force" : "proposed",
                prediction: { ...prediction, checkAfter: now.toISOString() },
            }),
        ],
        values: isAutomatic ? { [setting]: valueFor(to, state) } : {},
    };
}

/** What excludes tuning of a setting, whatever the evidence says. */
function findHindrance(
    { tuning, actor, reason }: RuntimeSettingsState,
    { experiment, source, tuned }: RuntimeSettingState,
): string | undefined {
    if (tuning === "stopped")
        return `tuning was stopped by ${actor ?? "somebody"}: ${reason ?? ""}`;
    if (experiment !== null) return `the experiment ${experiment} varies it`;
    if (source === "tuned" && tuned && tuned.actor !== TUNER)
        return `${tuned.actor} has set it: ${tuned.reason}`;
    return undefined;
}

function describeSuperseder(
    { tuning }: RuntimeSettingsState,
    { experiment, source, tuned, configured }: RuntimeSettingState,
): string {
    if (tuning === "stopped") return "tuning was stopped";
    if (experiment !== null) return `the experiment ${experiment} varies the setting`;
    if (source === "tuned" && tuned) return `${tuned.actor} has set ${tuned.value}`;
    return `the configured value, ${configured}, is in force: a deploy changed it, or an operator reverted the change`;
}

/** Values with which entries that still exist may have been written. */
function recentValuesOf(changes: readonly Decision[], now: Date): readonly number[] {
    return changes
        .filter(({ at, from, to }) => {
            const longest = Math.max(from, to ?? from) * 1000;
            return Date.parse(at) + longest > now.getTime();
        })
        .flatMap(({ from, to }) => [from, to ?? from]);
}

/** The configured value is not a tuned one, so that a later deploy changes it. */
const valueFor = (value: number, { configured }: RuntimeSettingState): number | null =>
    value === configured ? null : value;

const isChange = (action: Decision["action"]) => action === "change" || action === "roll back";

export const dayOf = (milliseconds: number): string =>
    new Date(milliseconds).toISOString().slice(0, 10);

/** Takes back what the tuner has set, and marks its changes. */
export function takeBack({
    record,
    settings,
    now,
}: Pick<DecisionArgs, "record" | "settings" | "now">): Outcome {
    const values = RUNTIME_SETTINGS.filter(
        (setting) => settings.settings[setting].tuned?.actor === TUNER,
    ).map((setting) => [setting, null] as const);
    const decisions = record.decisions.map((one) =>
        one.status === "in force"
            ? { ...one, status: "superseded" as const, outcome: "tuning is off" }
            : one,
    );
    return {
        record: {
            ...record,
            state: { ...record.state, mode: "off", updatedAt: now.toISOString() },
            decisions,
        },
        values: Object.fromEntries(values),
    };
}
