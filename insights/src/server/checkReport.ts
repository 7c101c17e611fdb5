import { SCHEMA, SCHEMA_VERSION, type Report } from "../analysis/report.ts";
import { createDocument } from "../report/document.ts";
import { HttpError } from "./exchange.ts";

type Check = readonly [allowed: string, isAllowed: (value: unknown) => boolean];

const FIGURE: Check = [
    "a finite number, or null",
    (value) => value === null || (typeof value === "number" && Number.isFinite(value)),
];
const TIME: Check = [
    "a time in UTC such as 2026-11-30T02:00:00Z",
    (value) =>
        typeof value === "string" &&
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) &&
        !Number.isNaN(Date.parse(value)),
];
const LIST: Check = ["a list", Array.isArray];
const OBJECT: Check = ["an object", (value) => typeof value === "object" && value !== null];
const HOURS: Check = [
    "hours, more than 0 and at most 168",
    (value) => typeof value === "number" && value > 0 && value <= 168,
];
const STATES = ["complete", "partial", "not measured"];
const exactly = (expected: unknown): Check => [
    JSON.stringify(expected),
    (value) => value === expected,
];

/** Fields that the history and the page read. The document of the report reads all others. */
const FIELDS: Readonly<Record<string, Check>> = {
    schema: exactly(SCHEMA),
    schemaVersion: exactly(SCHEMA_VERSION),
    generatedAt: TIME,
    "window.from": TIME,
    "window.to": TIME,
    "window.hours": HOURS,
    "completeness.state": [STATES.join(", "), (value) => STATES.includes(String(value))],
    "completeness.gaps": LIST,
    "completeness.problems": LIST,
    "lookups.total": FIGURE,
    "lookups.hitRate": FIGURE,
    "lookups.byTier": OBJECT,
    "latency.all": OBJECT,
    "latency.byTier": OBJECT,
    "cost.saved": FIGURE,
    "cost.billedForRequests": FIGURE,
    "cost.billedForCache": FIGURE,
    "cost.pods": FIGURE,
    "cost.storage": FIGURE,
    "cost.net": FIGURE,
    tenants: LIST,
    hours: LIST,
    notMeasured: LIST,
    recommendations: LIST,
};

/** @throws HttpError 400 that names the field, its value, and what is allowed */
export function checkReport(content: unknown): Report {
    for (const [field, [allowed, isAllowed]] of Object.entries(FIELDS)) {
        const value = field
            .split(".")
            .reduce<unknown>(
                (one, name) => (one as Record<string, unknown> | null)?.[name],
                content,
            );
        if (!isAllowed(value)) {
            const found =
                value === undefined ? "is missing" : `is ${JSON.stringify(value).slice(0, 64)}`;
            throw new HttpError(400, `${field} ${found}; allowed: ${allowed}`);
        }
    }
    const report = content as Report;
    if (Date.parse(report.window.from) >= Date.parse(report.window.to)) {
        throw new HttpError(
            400,
            `window.from is "${report.window.from}"; allowed: a time before window.to`,
        );
    }
    try {
        createDocument(report);
    } catch (error) {
        throw new HttpError(400, `the report cannot be shown: ${(error as Error).message}`);
    }
    return report;
}
