import { UserError } from "@property-search/contract";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";

export const EVIDENCE_SCHEMA = "property-search/rehearsal/1";

export type Verdict = "pass" | "fail" | "not-applicable" | "interrupted";

/** One action of a rehearsal. */
export interface Step {
    /** Start, in seconds since the start of the rehearsal. */
    readonly at: number;
    readonly does: string;
    /** Command as an operator types it. Absent: the step calls the Kubernetes API. */
    readonly command?: string;
    readonly seconds: number;
}

/** An alert that began during the rehearsal. Times are seconds since its start, and absent if it did not happen. */
export interface AlertRecord {
    readonly alert: string;
    readonly labels: Readonly<Record<string, string>>;
    /** Whether the rehearsal provokes it. */
    readonly expected: boolean;
    readonly pendingAt?: number;
    readonly firingAt?: number;
    /** When Alertmanager had it. */
    readonly notifiedAt?: number;
    /** When Prometheus no longer had it. */
    readonly resolvedAt?: number;
}

/** Background traffic through the Gateway. */
export interface TrafficRecord {
    readonly perSecond: number;
    readonly sent: number;
    readonly failed: number;
    /** Requests without a valid response, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** Ratio (0–1) of requests for known texts that the cache answered before the fault. */
    readonly hitRateBefore?: number;
    /** The same at the end. */
    readonly hitRateAfter?: number;
}

/** A measured value, and its goal if it has one. */
export interface Figure {
    readonly name: string;
    readonly unit: string;
    readonly value: number;
    /** Such as `<= 60`. */
    readonly goal?: string;
    readonly met?: boolean;
}

/** Result of one rehearsal: the content of its evidence file. */
export interface Evidence {
    readonly schema: typeof EVIDENCE_SCHEMA;
    readonly rehearsal: string;
    readonly purpose: string;
    readonly verdict: Verdict;
    /** Reasons of any verdict but `pass`. */
    readonly reasons: readonly string[];
    /** Whether alerts with a long `for` were awaited only as pending. */
    readonly quick: boolean;
    /** ISO 8601. */
    readonly startedAt: string;
    readonly seconds: number;
    readonly cluster: {
        readonly context: string;
        /** Its identity. Absent: evidence of an older version */
        readonly id?: string;
        readonly stack: string;
        readonly redisMode: string;
    };
    /** Commit of the checkout, or `unknown`. */
    readonly commit: string;
    readonly precondition: string;
    readonly steps: readonly Step[];
    readonly alerts: readonly AlertRecord[];
    readonly traffic: TrafficRecord;
    readonly figures: readonly Figure[];
    readonly putBack: { readonly done: boolean; readonly problems: readonly string[] };
}

type Comparison = "<=" | ">=" | "==";

/** A figure with a goal. */
export function withGoal(
    name: string,
    unit: string,
    value: number,
    comparison: Comparison,
    limit: number,
): Figure {
    const met = {
        "<=": value <= limit,
        ">=": value >= limit,
        "==": value === limit,
    }[comparison];
    return { name, unit, value: round(value), goal: `${comparison} ${limit}`, met };
}

/** Time until an alert, in seconds: until it fired, or in a quick run until it was pending. */
export function timeToDetect(
    quick: boolean,
    seconds: number,
    limits: { readonly pending: number; readonly firing: number },
): Figure {
    return quick
        ? withGoal("time until pending", "s", seconds, "<=", limits.pending)
        : withGoal("time to detect", "s", seconds, "<=", limits.firing);
}

/** Decides on the outcome of a rehearsal. `problems` are errors of its steps and of putting back. */
export function judge(
    figures: readonly Figure[],
    problems: readonly string[],
    interrupted: boolean,
): Pick<Evidence, "verdict" | "reasons"> {
    if (interrupted) return { verdict: "interrupted", reasons: ["interrupted", ...problems] };
    const missed = figures
        .filter(({ met }) => met === false)
        .map(({ name, value, unit, goal }) => `${name} is ${value} ${unit}; goal: ${goal ?? ""}`);
    const reasons = [...problems, ...missed];
    return { verdict: reasons.length === 0 ? "pass" : "fail", reasons };
}

/**
 * Writes `<name>.json` and `<name>.md` of the newest run, and `history/<name>-<time>.json`.
 *
 * @returns the path of the JSON file
 */
export async function writeEvidence(folder: string, evidence: Evidence): Promise<string> {
    const history = path.join(folder, "history");
    await mkdir(history, { recursive: true });
    const text = `${JSON.stringify(evidence, undefined, 2)}\n`;
    const time = evidence.startedAt.replaceAll(":", "-");
    await writeFile(path.join(history, `${evidence.rehearsal}-${time}.json`), text);
    const file = path.join(folder, `${evidence.rehearsal}.json`);
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
    await writeFile(path.join(folder, `${evidence.rehearsal}.md`), describeEvidence(evidence));
    return file;
}

/** Reads the newest evidence of each rehearsal. @throws UserError for a file that is no evidence */
export async function readEvidence(folder: string): Promise<Evidence[]> {
    const names = await readdir(folder).catch(() => []);
    return Promise.all(
        names
            .filter((name) => name.endsWith(".json"))
            .sort()
            .map((name) => readOne(path.join(folder, name))),
    );
}

async function readOne(file: string): Promise<Evidence> {
    const text = await readFile(file, "utf8");
    try {
        const value = JSON.parse(text) as { readonly schema?: string };
        if (value.schema === EVIDENCE_SCHEMA) return value as Evidence;
    } catch {
        // Reported below.
    }
    throw new UserError(`${file} is not evidence of a rehearsal; allowed: ${EVIDENCE_SCHEMA}`);
}

/** Renders evidence as a page for people. */
export function describeEvidence(evidence: Evidence): string {
    const { cluster, traffic, putBack } = evidence;
    const at = (seconds: number | undefined) =>
        seconds === undefined ? "–" : `${seconds.toFixed(1)} s`;
    const percent = (ratio: number | undefined) =>
        ratio === undefined ? "unknown" : `${(ratio * 100).toFixed(1)} %`;
    const rows = (head: readonly string[], body: readonly (readonly string[])[]) => [
        `| ${head.join(" | ")} |`,
        `| ${head.map(() => "---").join(" | ")} |`,
        ...body.map((cells) => `| ${cells.join(" | ")} |`),
        "",
    ];
    return [
        `# Rehearsal ${evidence.rehearsal}: ${evidence.verdict}`,
        "",
        evidence.purpose,
        "",
        `- Started ${evidence.startedAt}, took ${at(evidence.seconds)}${evidence.quick ? ", quick" : ""}`,
        `- Cluster ${cluster.context}, stack ${cluster.stack}, Redis ${cluster.redisMode}, commit ${evidence.commit}`,
        `- Precondition: ${evidence.precondition}`,
        ...evidence.reasons.map((reason) => `- **${reason}**`),
        "",
        "## Figures",
        "",
        ...rows(
            ["figure", "value", "goal", "met"],
            evidence.figures.map(({ name, value, unit, goal = "–", met }) => [
                name,
                `${value} ${unit}`.trim(),
                goal,
                met === undefined ? "–" : met ? "yes" : "no",
            ]),
        ),
        `Traffic: ${traffic.sent} requests at ${traffic.perSecond}/s, ${traffic.failed} failed; hit rate ` +
            `${percent(traffic.hitRateBefore)} before, ${percent(traffic.hitRateAfter)} after.`,
        ...Object.entries(traffic.failures).map(([reason, count]) => `- ${count} × ${reason}`),
        "",
        "## Steps",
        "",
        ...rows(
            ["at", "step", "took"],
            evidence.steps.map(({ at: start, does, command, seconds }) => [
                at(start),
                command === undefined ? does : `${does}: \`${command}\``,
                at(seconds),
            ]),
        ),
        "## Alerts",
        "",
        ...(evidence.alerts.length === 0
            ? ["None."]
            : rows(
                  ["alert", "pending", "firing", "Alertmanager", "resolved"],
                  evidence.alerts.map((one) => [
                      `${one.alert}${one.expected ? "" : " (not expected)"}`,
                      ...[one.pendingAt, one.firingAt, one.notifiedAt, one.resolvedAt].map(at),
                  ]),
              )),
        "",
        `Put back: ${putBack.done ? "yes" : `no: ${putBack.problems.join("; ")}`}`,
        "",
    ].join("\n");
}

/** Rounds to milliseconds or thousandths, which is more than any figure's precision. */
export function round(value: number): number {
    return Math.round(value * 1000) / 1000;
}
