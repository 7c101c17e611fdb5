/** Grafana's identifiers of units. */
export const UNITS = {
    bytes: "bytes",
    count: "short",
    dollars: "currencyUSD",
    dollarsPerHour: "suffix: $/h",
    bytesPerSecond: "Bps",
    itemsPerSecond: "suffix: items/s",
    operationsPerSecond: "ops",
    /** 0–100. */
    percent: "percent",
    /** 0–1. */
    ratio: "percentunit",
    requestsPerSecond: "reqps",
    seconds: "s",
    tokensPerSecond: "suffix: tokens/s",
} as const;

export type Unit = (typeof UNITS)[keyof typeof UNITS];
