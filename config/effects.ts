import { GENERATED_SECRETS } from "@property-search/contract";
import { receiverWarnings } from "./alertReceivers.ts";
import { ROWS, textOf } from "./settings/index.ts";
import { is, isSet, type Condition, type Value } from "./settings/row.ts";

const GENERATED: ReadonlySet<string> = new Set(GENERATED_SECRETS);

/** Conditions of all keys that begin with a name. */
const OF_GROUPS: readonly (readonly [name: string, ...condition: Condition])[] = [
    ["service.costPerRequestDollars", "service.tokenPrices", (value) => !isSet(value)],
    ["certificates.", "certificates.enabled", is("true")],
    ["monitoring.", "monitoring.enabled", is("true")],
    ["prometheus.", "monitoring.enabled", is("true")],
    ["alerts.", "monitoring.enabled", is("true")],
    ["alertmanager.", "monitoring.enabled", is("true")],
    ["alertmanager.", "prometheus.source", is("stack")],
    ["insights.", "monitoring.enabled", is("true")],
    ["insights.", "insights.enabled", is("true")],
    ["example.", "example.enabled", is("true")],
    ["grafana.", "monitoring.enabled", is("true")],
    ["grafana.", "grafana.enabled", is("true")],
    ["grafana.", "prometheus.source", is("stack")],
];

/** What a stack's config allows and its owner should know, in sentences. */
export function warningsOf(valueOf: Value): string[] {
    return [...uselessKeys(valueOf), ...receiverWarnings(valueOf)];
}

/** What gives a key an effect. The first condition that does not hold is named. */
export function conditionsOf(key: string): readonly Condition[] {
    const ofGroups = OF_GROUPS.flatMap(([name, other, isWanted]): Condition[] =>
        key.startsWith(name) && key !== other ? [[other, isWanted]] : [],
    );
    return [...ofGroups, ...(ROWS.get(key)?.usedIf ?? [])];
}

/**
 * Keys that a stack sets to no effect, since another key's value leaves them out: a sentence for each of these. A value that is the
 * default counts as not set: Pulumi hands a program both in the same way. Generated secrets are set always.
 */
function uselessKeys(valueOf: Value): string[] {
    const useless = new Map<string, string[]>();
    for (const [key, row] of ROWS) {
        const set = valueOf(key);
        if (GENERATED.has(key) || set === undefined || set === textOf(row.default)) continue;
        const failed = conditionsOf(key).find(
            ([other, isWanted]) => !isWanted(valueOf(other), valueOf),
        );
        if (!failed) continue;
        const [other] = failed;
        const value = valueOf(other);
        const reason = `${other} ${value === undefined ? "is not set" : `is ${JSON.stringify(value)}`}`;
        useless.set(reason, [...(useless.get(reason) ?? []), key]);
    }
    return [...useless].map(([reason, names]) => {
        const words = names.length === 1 ? "is set and has" : "are set and have";
        return `${names.join(", ")} ${words} no effect, since ${reason}`;
    });
}
