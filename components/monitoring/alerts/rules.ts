import { stringify } from "yaml";

/** A Prometheus rule file as data, to be written as YAML or JSON. */
export interface RuleFile {
    readonly groups: readonly RuleGroup[];
}

export interface RuleGroup {
    readonly name: string;
    /** Default: the global evaluation interval of Prometheus. */
    readonly interval?: string;
    /** Evaluated in order: a rule reads what the rules above it recorded in the same evaluation. */
    readonly rules: readonly Rule[];
}

export type Rule = RecordingRule | AlertingRule;

export interface RecordingRule {
    readonly record: string;
    readonly expr: string;
}

export interface AlertingRule {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<"summary" | "description" | "runbook_url", string>>;
}

/** `critical` pages, `warning` is for working hours, `info` is not sent. */
export type Severity = "critical" | "warning" | "info" | "none";

/** Arguments of `alert`. */
export interface AlertArgs {
    /** PromQL expression, each of whose series is an alert. */
    readonly expr: string;
    /**
     * Time for which the expression must hold, as a duration of Prometheus.
     * @default none: the alert fires immediately
     */
    readonly for?: string;
    /** How urgent the alert is. */
    readonly severity: Severity;
    /** Affected service: `embedding-service`, or a component. */
    readonly service: string;
    /** A critical alert inhibits warnings of the same service, namespace and topic. */
    readonly topic: string;
    /**
     * Namespace of the affected service.
     * @default that of the expression's series
     */
    readonly namespace?: string;
    /**
     * Affected colour.
     * @default that of the expression's series, if any
     */
    readonly colour?: string;
    /** Summary of the alert, in a few words. */
    readonly summary: string;
    /** Description of the alert, with its value and what it means. */
    readonly description: string;
}

/** An alerting rule without its runbook URL, which `ruleFiles` adds. */
export type Alert = Omit<AlertingRule, "annotations"> & {
    readonly annotations: Omit<AlertingRule["annotations"], "runbook_url">;
};

export function alert(name: string, args: AlertArgs): Alert {
    const { expr, severity, service, topic, namespace, colour, summary, description } = args;
    return {
        alert: name,
        expr: toOneLine(expr),
        ...(args.for !== undefined && { for: args.for }),
        labels: {
            severity,
            service,
            topic,
            ...(namespace !== undefined && { namespace }),
            ...(colour !== undefined && { colour }),
        },
        annotations: { summary, description: toOneLine(description) },
    };
}

export function record(name: string, expr: string): RecordingRule {
    return { record: name, expr: toOneLine(expr) };
}

/** Rule files as YAML, by file name. */
export function ruleTexts(rules: Readonly<Record<string, RuleFile>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(rules).map(([file, groups]) => [
            file,
            stringify(groups, { lineWidth: 0, aliasDuplicateObjects: false }),
        ]),
    );
}

/** Joins lines, so that a rule looks the same in the rule file and in the UI of Prometheus. */
function toOneLine(text: string): string {
    return text.replaceAll(/\s+/g, " ").trim();
}
