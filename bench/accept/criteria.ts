/** Verdict of a criterion. Unknown is never met. */
export type Verdict = "met" | "not met" | "not measured";

/** What a step found out about one criterion. */
export interface Finding {
    readonly measured: string;
    readonly workload: string;
    readonly verdict: Verdict;
}

export interface Criterion {
    readonly id: string;
    /** Rows of the requirements that ask for it. */
    readonly from: string;
    readonly criterion: string;
    readonly goal: string;
    /** Step that measures it. */
    readonly step: StepName;
}

/** A row of the table. */
export interface Row extends Finding, Pick<Criterion, "from" | "criterion" | "goal"> {
    /** Name of the evidence file in the folder, or the path of one elsewhere; empty if there is none. */
    readonly evidence: string;
}

/** In their order: scaling is first of the loads, since pods that a load has added stay for five minutes. */
export const STEPS = ["day", "platform", "scaling", "users", "disruption", "documents"] as const;
export type StepName = (typeof STEPS)[number];

export const CRITERIA = [
    [
        "hits",
        "S1, S12",
        "hit rate over all services",
        "at least 80 % of an ordinary day's lookups",
        "day",
    ],
    [
        "cost",
        "S12",
        "cost reduction, weighted by tokens",
        "at least 95 % of an ordinary day's tokens",
        "day",
    ],
    ["money", "S12", "monthly savings, at the configured price", "more than $500", "day"],
    [
        "cached",
        "S1, S12",
        "cached responses through the Gateway",
        "p99 below 50 ms at 1,000 users",
        "users",
    ],
    ["load", "S2, S13", "load of more than 1,000 users", "no failed request", "users"],
    [
        "downtime",
        "S12, S13",
        "zero downtime: colours switch, pods are killed",
        "no failed request at 1,000 users",
        "disruption",
    ],
    [
        "blueGreen",
        "S13",
        "blue/green exercised",
        "switches are promoted under load, none fails",
        "disruption",
    ],
    ["rollback", "S13", "rollback exercised", "traffic is returned under load", "disruption"],
    [
        "autoscaling",
        "S12, S13",
        "autoscaling",
        "a new pod is ready within 90 s of a burst of new texts",
        "scaling",
    ],
    [
        "monitoring",
        "S12, S13",
        "real-time monitoring",
        "each target is scraped, each rule is loaded",
        "platform",
    ],
    ["alerting", "S12, S13", "alerting", "the Watchdog reaches the receiver", "platform"],
    [
        "ready",
        "S13",
        "the platform is as declared",
        "pods, autoscalers, Redis and rollback ready",
        "platform",
    ],
    ["benchmarks", "S13", "benchmarks documented", "figures in docs, checks pass", "documents"],
    ["documents", "S13", "documentation", "each page passes its tests", "documents"],
    ["training", "S13", "operators' training", "exercises with automatic checks", "documents"],
].map(([id = "", from = "", criterion = "", goal = "", step]) => ({
    ...{ id, from, criterion, goal },
    step: step as StepName,
})) satisfies readonly Criterion[];

/** Evidence of a step, as in its file. */
export interface Evidence {
    readonly schema: typeof SCHEMA;
    readonly step: StepName;
    readonly commit: string;
    readonly quick: boolean;
    /** Identity of the cluster of make up; absent: there was none that answered. */
    readonly cluster?: string | undefined;
    readonly begun: string;
    readonly seconds: number;
    /** By id of the criteria. */
    readonly findings: Readonly<Record<string, Finding>>;
    /** Everything that was measured. */
    readonly data: unknown;
    /** Why the step could not be run; then there are no findings. */
    readonly failure?: string;
}

export const SCHEMA = "property-search/acceptance/1";

/**
 * The table: a criterion without a finding is not measured, with the reason.
 *
 * @param isCurrent whether evidence says something about this run; older figures are shown, but decide nothing
 */
export function tabulate(
    evidence: ReadonlyMap<StepName, Evidence>,
    isCurrent: (evidence: Evidence) => boolean,
): readonly Row[] {
    return CRITERIA.map(({ id, from, criterion, goal, step }): Row => {
        const known = evidence.get(step);
        const finding = known?.findings[id];
        const file = known ? `${step}.json` : "";
        if (known && finding) {
            const row = { from, criterion, goal, ...finding, evidence: file };
            if (isCurrent(known)) return row;
            const measured = `${describeOrigin(known)}: ${finding.verdict}, ${finding.measured}`;
            return { ...row, measured, verdict: "not measured" };
        }
        const why = known
            ? (known.failure ?? "the step did not measure it")
            : "the step has not run";
        return {
            from,
            criterion,
            goal,
            measured: why,
            workload: "",
            evidence: file,
            verdict: "not measured",
        };
    });
}

export type Origin = Pick<Evidence, "commit" | "quick" | "begun" | "cluster">;

export function describeOrigin({ commit, quick, begun, cluster }: Origin): string {
    const where = cluster === undefined ? "" : `, cluster ${cluster.slice(0, 8)}`;
    return `evidence of commit ${commit}${quick ? ", quick" : ""}${where}, ${begun.slice(0, 16)}Z`;
}

/** Exit code: 0 all met, 1 one is not, 3 something was not measured. */
export function exitCodeOf(rows: readonly Row[]): 0 | 1 | 3 {
    if (rows.some(({ verdict }) => verdict === "not met")) return 1;
    return rows.every(({ verdict }) => verdict === "met") ? 0 : 3;
}

export const holds = (isMet: boolean): Verdict => (isMet ? "met" : "not met");
