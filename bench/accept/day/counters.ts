import { METRICS } from "@property-search/contract";

/** What the service counted, from its start or in a time. */
export interface Ledger {
    /** Items looked up, by result. */
    readonly lookups: Readonly<Record<string, number>>;
    readonly tokensSaved: number;
    readonly tokensBilled: number;
    /** Dollars by the price that is in force. */
    readonly dollarsSaved: number;
    readonly dollarsBilled: number;
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

/** Parses Prometheus' text format of the service. */
export function parseLedger(text: string): Ledger {
    const lookups: Record<string, number> = {};
    const sums = new Map<string, number>();
    for (const line of text.split("\n")) {
        const [, name = "", labels = "", value = ""] = LINE.exec(line) ?? [];
        if (name === METRICS.lookups) {
            const result = /result="([^"]*)"/.exec(labels)?.[1] ?? "";
            lookups[result] = (lookups[result] ?? 0) + Number(value);
        } else if (name !== "") sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    const sumOf = (name: string): number => {
        const sum = sums.get(name);
        if (sum === undefined) throw new Error(`the service exports no ${name}`);
        return sum;
    };
    return {
        lookups,
        tokensSaved: sumOf(METRICS.tokensSaved),
        tokensBilled: sumOf(METRICS.tokensBilled),
        dollarsSaved: sumOf(METRICS.costSaved),
        dollarsBilled: sumOf(METRICS.costBilled),
    };
}

export function subtractLedger(after: Ledger, before: Ledger): Ledger {
    return {
        lookups: Object.fromEntries(
            Object.entries(after.lookups).map(([result, count]) => [
                result,
                count - (before.lookups[result] ?? 0),
            ]),
        ),
        tokensSaved: after.tokensSaved - before.tokensSaved,
        tokensBilled: after.tokensBilled - before.tokensBilled,
        dollarsSaved: after.dollarsSaved - before.dollarsSaved,
        dollarsBilled: after.dollarsBilled - before.dollarsBilled,
    };
}
