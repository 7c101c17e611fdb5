import {
    ruleFiles,
    type AlertThresholds,
    type AlertingRule,
    type RecordingRule,
    type Rule,
} from "../../../components/monitoring/alerts/index.ts";
import { mutants, seriesOf } from "../promql.ts";
import type { Suite, SuiteTest } from "./promtool.ts";

/** Input series of one case, and when the alert fires. */
export interface Case {
    readonly why: string;
    /** Series by selector, in promtool's notation (samples.ts). */
    readonly series: Readonly<Record<string, string>>;
    /** Matchers of the labels of each alert that fires, by time; an empty list if none fires. */
    readonly at: Readonly<Record<string, readonly string[]>>;
    /** Seconds between two samples. Default 15. */
    readonly step?: number;
    /** Time between two evaluations. Default "15s". */
    readonly every?: string;
}

/** An alert with the rules that it reads, its mutants and its test suites. */
export interface AlertSpec {
    readonly alert: AlertingRule;
    /** Expressions by name of the mutated alert. */
    readonly mutants: ReadonlyMap<string, string>;
    /** Name of a copy whose labels and annotations are printed. */
    readonly rendered: string;
    readonly suites: readonly Suite[];
}

/**
 * Builds the suites of an alert and of the rules that it reads, for all its cases.
 *
 * @param withMutants whether the suites include each mutant of the alert. Default: false.
 */
export function alertSpec(
    name: string,
    cases: readonly Case[],
    thresholds?: AlertThresholds,
    withMutants = false,
): AlertSpec {
    const rules = Object.values(ruleFiles(thresholds)).flatMap(({ groups }) =>
        groups.flatMap((group) => group.rules),
    );
    const alert = rules.find(
        (rule): rule is AlertingRule => "alert" in rule && rule.alert === name,
    );
    if (!alert) throw new Error(`there is no alert ${name}`);
    const changed = (withMutants ? mutantsOf(alert) : []).map(({ what, rule }, index) => ({
        what,
        rule: { ...rule, alert: `${name}__${index}` },
    }));
    const rendered = `${name}__rendered`;
    const all: Rule[] = [
        ...needed(alert.expr, rules),
        alert,
        { ...alert, alert: rendered },
        ...changed.map(({ rule }) => rule),
    ];
    const names = [name, ...changed.map(({ rule }) => rule.alert)];
    const speeds = [...new Set(cases.map(({ every = "15s" }) => every))];
    const suites = speeds.map((every) => ({
        rules: { "rules.yml": { groups: [{ name, rules: all }] } },
        interval: every,
        tests: cases
            .filter((one) => (one.every ?? "15s") === every)
            .map((one) => test(one, names, rendered)),
    }));
    return {
        alert,
        mutants: new Map(changed.map(({ what, rule }) => [rule.alert, what])),
        rendered,
        suites,
    };
}

function mutantsOf(alert: AlertingRule): { what: string; rule: AlertingRule }[] {
    return [
        ...mutants(alert.expr).map(({ what, expr }) => ({ what, rule: { ...alert, expr } })),
        ...(alert.for === undefined ? [] : [{ what: "for zeroed", rule: without(alert, "for") }]),
    ];
}

function without<T extends object, K extends keyof T>(from: T, key: K): Omit<T, K> {
    return Object.fromEntries(
        Object.entries(from).filter(([name]) => name !== key),
    ) as unknown as Omit<T, K>;
}

/** @returns the recording rules that an expression reads, and those that these read, in their order. */
export function needed(expr: string, rules: readonly Rule[]): RecordingRule[] {
    const records = rules.filter((rule): rule is RecordingRule => "record" in rule);
    const names = new Set<string>();
    const add = (source: string): void => {
        for (const name of seriesOf(source)) {
            if (names.has(name)) continue;
            names.add(name);
            for (const rule of records) if (rule.record === name) add(rule.expr);
        }
    };
    add(expr);
    return records.filter(({ record }) => names.has(record));
}

function test(one: Case, names: readonly string[], rendered: string): SuiteTest {
    const firing = (name: string, matchers: string): string =>
        `count(ALERTS{alertname="${name}",alertstate="firing"${matchers && `,${matchers}`}})`;
    const times = Object.entries(one.at);
    const first = times.find(([, alerts]) => alerts.length > 0)?.[0];
    return {
        name: one.why,
        interval: `${one.step ?? 15}s`,
        input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
        promql_expr_test: times.flatMap(([time, alerts]) =>
            names.flatMap((name) =>
                // How many there are, and that each is one of them.
                ["", ...alerts].map((matchers) => ({
                    expr: firing(name, matchers),
                    eval_time: time,
                    exp_samples:
                        alerts.length === 0
                            ? []
                            : [{ labels: "{}", value: matchers ? 1 : alerts.length }],
                })),
            ),
        ),
        ...(first !== undefined && {
            alert_rule_test: [{ eval_time: first, alertname: rendered, exp_alerts: [] }],
        }),
    };
}
