import { stringify } from "yaml";

/** A file of Prometheus' rules as data, to be written as YAML or JSON. */
export interface RuleFile {
    readonly groups: readonly RuleGroup[];
}

export interface RuleGroup {
    readonly name: string;
    /** Default: Prometheus' own evaluation interval. */
    readonly interval?: string;
    /** Evaluated in this order, so that a rule sees what those above it recorded in the same turn. */
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

/** `critical` wakes somebody, `warning` is for the working day, `info` for whoever looks. */
export type Severity = "critical" | "warning" | "info" | "none";

export interface AlertArgs {
    readonly expr: string;
    /** How long it must hold. Default: it fires at once. */
    readonly for?: string;
    readonly severity: Severity;
    /** What has the trouble: `embedding-service`, or the component. */
    readonly service: string;
    /** Two alerts of one service, namespace and topic are one trouble: the critical one mutes the other. */
    readonly topic: string;
    /** Default: the expression's series carry it. */
    readonly namespace?: string;
    /** Default: the expression's series carry it, or it concerns no colour. */
    readonly colour?: string;
    readonly summary: string;
    readonly description: string;
}

/** Its runbook page is added by `ruleFiles`. */
export type Alert = Omit<AlertingRule, "annotations"> & {
    readonly annotations: Omit<AlertingRule["annotations"], "runbook_url">;
};

export function alert(name: string, args: AlertArgs): Alert {
    const { expr, severity, service, topic, namespace, colour, summary, description } = args;
    return {
        alert: name,
        expr: unfolded(expr),
        ...(args.for !== undefined && { for: args.for }),
        labels: {
            severity,
            service,
            topic,
            ...(namespace !== undefined && { namespace }),
            ...(colour !== undefined && { colour }),
        },
        annotations: { summary, description: unfolded(description) },
    };
}

export function record(name: string, expr: string): RecordingRule {
    return { record: name, expr: unfolded(expr) };
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

/** One line, so that a rule reads the same in the source, in the file and in Prometheus' pages. */
function unfolded(text: string): string {
    return text.replaceAll(/\s+/g, " ").trim();
}
