import type { ServiceSettings } from "@property-search/contract/settings";
import pino, { type Logger } from "pino";

/** Structured logs on standard output. They never contain texts, vectors, cache keys or credentials. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "fatal" | "level">;

export function createLog(config: Pick<ServiceSettings, "logLevel" | "colour" | "version">): Log {
    return pino({
        level: config.logLevel,
        base: { colour: config.colour, version: config.version },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
    });
}
