import { readFile } from "node:fs/promises";
import type { ImpactEvent } from "../impact/bin.ts";
import type { LatestDecisions } from "../impact/view.ts";
import { replaceFile } from "../report/history.ts";
import { etagOf, HttpError } from "./exchange.ts";

const SCHEMA = "property-search/tuning";
/** The tuner keeps 400. */
const MAX_DECISIONS = 1_000;

export interface TuningRecord {
    /** @throws HttpError 404 before the first PUT */
    readonly read: () => string;
    /**
     * Replaces the record.
     *
     * @param expected ETag that the record must have; undefined: any
     * @returns whether there was one
     * @throws HttpError 400 or 412
     */
    readonly put: (content: unknown, expected: string | undefined) => Promise<boolean>;
    readonly events: () => readonly ImpactEvent[];
    /** By setting. */
    readonly latest: () => Readonly<Record<string, LatestDecisions>>;
}

/** The tuner's record of decisions. Only the fields that the page shows are checked. */
export async function openTuningRecord(file: string): Promise<TuningRecord> {
    let text: string | undefined;
    let events: readonly ImpactEvent[] = [];
    let latest: Readonly<Record<string, LatestDecisions>> = {};
    try {
        const stored = await readFile(file, "utf8");
        const content: unknown = JSON.parse(stored);
        events = parseEvents(content);
        latest = latestOf(content);
        text = stored;
    } catch {
        // There is none yet, or none that the tuner could continue.
    }
    let writing: Promise<unknown> = Promise.resolve();

    async function write(content: unknown, expected: string | undefined): Promise<boolean> {
        if (expected !== undefined && expected !== etagOf(text ?? "")) {
            throw new HttpError(412, "The record has changed since it was read.");
        }
        const next = parseEvents(content);
        const body = `${JSON.stringify(content)}\n`;
        await replaceFile(file, body);
        const hadOne = text !== undefined;
        [text, events, latest] = [body, next, latestOf(content)];
        return hadOne;
    }

    return {
        read: () => {
            if (text === undefined) throw new HttpError(404, "The tuner has not run yet.");
            return text;
        },
        put: (content, expected) => {
            const result = writing.then(() => write(content, expected));
            writing = result.catch(() => undefined);
            return result;
        },
        events: () => events,
        latest: () => latest,
    };
}

/** @param content that was accepted; of its decisions, only the times were checked */
function latestOf(content: unknown): Readonly<Record<string, LatestDecisions>> {
    const { decisions } = content as { readonly decisions: readonly Record<string, unknown>[] };
    const latest: Record<string, LatestDecisions> = {};
    for (const { setting, action, at, from, to, reason, status, outcome } of decisions) {
        const name = String(setting);
        const decision = { at: String(at), action: String(action), reason: String(reason) };
        const isMade = (action === "change" || action === "roll back") && status !== "not applied";
        latest[name] = {
            latest: decision,
            changed: isMade
                ? {
                      ...decision,
                      from: Number(from),
                      to: Number(to),
                      status: String(status),
                      outcome: typeof outcome === "string" ? outcome : null,
                  }
                : (latest[name]?.changed ?? null),
        };
    }
    return latest;
}

/** Decisions that change something, or propose to. */
const VERBS: Readonly<Record<string, string>> = {
    change: "was changed",
    propose: "should be changed",
    "roll back": "was changed back",
};

function parseEvents(content: unknown): readonly ImpactEvent[] {
    const { schema, decisions } = (content ?? {}) as Record<string, unknown>;
    if (schema !== SCHEMA) {
        throw new HttpError(400, `schema is ${JSON.stringify(schema)}; allowed: "${SCHEMA}"`);
    }
    if (!Array.isArray(decisions) || decisions.length > MAX_DECISIONS) {
        throw new HttpError(400, `decisions is not a list of at most ${MAX_DECISIONS}`);
    }
    return decisions.flatMap((one: unknown, at): ImpactEvent[] => {
        const {
            action,
            setting,
            from,
            to,
            reason,
            at: time,
        } = (one ?? {}) as Record<string, unknown>;
        const seconds = Date.parse(String(time)) / 1000;
        if (Number.isNaN(seconds)) {
            throw new HttpError(
                400,
                `decisions[${at}].at is ${JSON.stringify(time)}; allowed: a time in RFC 3339`,
            );
        }
        const verb = VERBS[String(action)];
        if (verb === undefined) return [];
        return [
            {
                at: seconds,
                kind: "tuning",
                text: `${setting as string} ${verb} from ${String(from)} to ${String(to)}: ${String(reason)}`,
            },
        ];
    });
}
