import {
    ARMS,
    armOf,
    blockOf,
    BLOCKS,
    FEEDBACK_VERDICTS,
    METRICS,
    OUTSIDE_REASONS,
    RESPONSE_TIME_BUCKETS,
    unitOfUser,
    type Arm,
    type CacheMode,
    type Experiment,
    type FeedbackVerdict,
    type OutsideReason,
    type Parameter,
    type Unit,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import type { Item, ResolvedItem } from "../cache/item.ts";
import {
    createFamilies,
    mapKeys,
    type CounterSeries,
    type HistogramSeries,
} from "../metrics/families.ts";

/** Properties of a request that an experiment may assign by, besides its texts. */
export interface Subject {
    readonly tenant: string;
    /** The client's end user, if it names one. */
    readonly user: string | undefined;
    /** Whether the header or the tenant names the cache mode, so that no experiment decides it. */
    readonly isModeNamed: boolean;
}

/** Assigns texts and users to the arms of experiments, and counts their outcomes. */
export interface Experiments {
    /** How long a new entry is fresh. */
    readonly ttlSecondsOf: (key: string) => number;
    /** Cache mode of texts in requests that name none. Undefined: no experiment varies it by text. */
    readonly cacheModeOf: ((key: string) => CacheMode) | undefined;
    /** Cache mode of a user's requests that name none. Undefined: no experiment varies it by user. */
    readonly cacheModeOfUser: ((tenant: string, user: string) => CacheMode) | undefined;
    /**
     * Counts the items of a client's request.
     *
     * @param receivedAt in milliseconds of `performance.now()`
     */
    readonly record: (
        items: readonly Item[],
        resolved: readonly ResolvedItem[],
        receivedAt: number,
        subject: Subject,
    ) => void;
    /** Counts a user's feedback on a result. */
    readonly recordVerdict: (
        tenant: string,
        user: string | undefined,
        verdict: FeedbackVerdict,
    ) => void;
}

/** The longest time for which a new entry may be fresh, in any arm. */
export function longestTtlSeconds(ttlSeconds: number, experiments: readonly Experiment[]): number {
    const all = experiments.filter(({ parameter }) => parameter === "cacheTtlSeconds");
    return Math.max(ttlSeconds, ...all.flatMap((one) => ARMS.map((arm) => Number(one[arm]))));
}

/** @param ttlSeconds without an experiment, for an entry that is written now */
export function createExperiments(
    experiments: readonly Experiment[],
    ttlSeconds: () => number,
    registry: Registry,
): Experiments {
    const recorders = experiments.length > 0 ? createRecorders(experiments, registry) : [];
    const byUser = experiments.filter(({ unit }) => unit === "user");
    const verdictRecorders = byUser.length > 0 ? createVerdictRecorders(byUser, registry) : [];
    // Each parameter is varied by one experiment at most.
    const find = (parameter: Parameter, unit: Unit): Experiment | undefined =>
        experiments.find((one) => one.parameter === parameter && one.unit === unit);
    const ttl = find("cacheTtlSeconds", "text");
    const [mode, userMode] = [find("cacheMode", "text"), find("cacheMode", "user")];
    return {
        ttlSecondsOf: (key) => (ttl ? Number(valueOf(ttl, key)) : ttlSeconds()),
        cacheModeOf: mode && ((key) => valueOf(mode, key) as CacheMode),
        cacheModeOfUser:
            userMode &&
            ((tenant, user) => valueOf(userMode, unitOfUser(tenant, user)) as CacheMode),
        record: (items, resolved, receivedAt, subject) => {
            for (const record of recorders) record(items, resolved, receivedAt, subject);
        },
        recordVerdict: (tenant, user, verdict) => {
            if (user === undefined) return;
            for (const record of verdictRecorders) record(unitOfUser(tenant, user), verdict);
        },
    };
}

function valueOf(experiment: Experiment, unit: string): Experiment[Arm] {
    return experiment[armOf(experiment, blockOf(experiment.salt, unit))];
}

interface BlockCounts {
    readonly hits: CounterSeries;
    readonly misses: CounterSeries;
    readonly tokens: CounterSeries;
    /** Of its arm. */
    readonly semantic: CounterSeries;
    readonly times: HistogramSeries;
}

function createRecorders(
    experiments: readonly Experiment[],
    registry: Registry,
): readonly Experiments["record"][] {
    const { counter, histogram } = createFamilies(registry);
    const lookups = counter(METRICS.experimentLookups, "Items in experiments");
    const tokens = counter(METRICS.experimentTokens, "Tokens billed for items in experiments");
    const semantic = counter(METRICS.experimentSemantic, "Semantic answers in experiments");
    const outside = counter(METRICS.experimentOutside, "Items in no arm of an experiment");
    const times = histogram(
        METRICS.experimentTime,
        "Seconds of requests with one item in an experiment",
        RESPONSE_TIME_BUCKETS,
    );
    return experiments.map((experiment) => {
        const { name, unit, salt } = experiment;
        const blocks = Array.from({ length: BLOCKS }, (_, block): BlockCounts => {
            const arm = { experiment: name, arm: armOf(experiment, block) };
            const ofBlock = { unit, arm: arm.arm, block };
            return {
                hits: lookups.series({ experiment: name, ...ofBlock, result: "hit" }),
                misses: lookups.series({ experiment: name, ...ofBlock, result: "miss" }),
                tokens: tokens.series({ ...arm, block }),
                semantic: semantic.series(arm),
                times: times.series(arm),
            };
        });
        const outsideBy = mapKeys(OUTSIDE_REASONS, (reason) =>
            outside.series({ experiment: name, reason }),
        );
        return (items, resolved, receivedAt, subject) => {
            const reason = outsideReasonOf(experiment, subject);
            if (reason !== undefined) {
                outsideBy[reason].value += items.length;
                return;
            }
            const { tenant, user } = subject;
            const ofUser =
                unit === "user" && user !== undefined
                    ? blocks[blockOf(salt, unitOfUser(tenant, user))]
                    : undefined;
            for (let at = 0; at < items.length; at += 1) {
                const { key = "" } = items[at] ?? {};
                const counts = ofUser ?? blocks[blockOf(salt, key)];
                const item = resolved[at];
                if (!counts || !item) continue;
                if (item.status === "MISS") {
                    counts.misses.value += 1;
                    counts.tokens.value += item.embedding.tokens;
                } else counts.hits.value += 1;
                if (item.status === "SEMANTIC") counts.semantic.value += 1;
                if (items.length === 1)
                    counts.times.observe((performance.now() - receivedAt) / 1000);
            }
        };
    });
}

/** Counted are the lookups whose value the experiment decides; all others would hide its effect. */
function outsideReasonOf(
    { parameter, unit }: Experiment,
    { user, isModeNamed }: Subject,
): OutsideReason | undefined {
    if (parameter === "cacheMode" && isModeNamed) return "mode_named";
    return unit === "user" && user === undefined ? "no_user" : undefined;
}

function createVerdictRecorders(
    experiments: readonly Experiment[],
    registry: Registry,
): readonly ((unit: string, verdict: FeedbackVerdict) => void)[] {
    const { counter } = createFamilies(registry);
    const verdicts = counter(
        METRICS.experimentVerdicts,
        "Verdicts of clients on results of users in experiments",
    );
    return experiments.map((experiment) => {
        const blocks = Array.from({ length: BLOCKS }, (_, block) => {
            const labels = { experiment: experiment.name, arm: armOf(experiment, block), block };
            return mapKeys(FEEDBACK_VERDICTS, (verdict) => verdicts.series({ ...labels, verdict }));
        });
        return (unit, verdict) => {
            const counts = blocks[blockOf(experiment.salt, unit)];
            if (counts) counts[verdict].value += 1;
        };
    });
}
