import { CERTIFICATE_CASES } from "../../monitoring/cases/certificates.ts";
import { COST_CASES, COST_THRESHOLDS } from "../../monitoring/cases/cost.ts";
import { OBJECTIVE_CASES } from "../../monitoring/cases/objectives.ts";
import { INSIGHTS_CASES } from "../../monitoring/cases/insights.ts";
import { PLATFORM_CASES } from "../../monitoring/cases/platform.ts";
import { REDIS_CASES } from "../../monitoring/cases/redis.ts";
import { SERVICE_CASES } from "../../monitoring/cases/service.ts";
import { alertSpec, type AlertSpec } from "./cases.ts";
import { testRules } from "./promtool.ts";

const TABLES = [
    SERVICE_CASES,
    COST_CASES,
    OBJECTIVE_CASES,
    REDIS_CASES,
    CERTIFICATE_CASES,
    PLATFORM_CASES,
    INSIGHTS_CASES,
];

/** All alerts with their cases. */
export function alertSpecs(withMutants = false): AlertSpec[] {
    return TABLES.flatMap((table) =>
        Object.entries(table).map(([name, cases]) =>
            alertSpec(name, cases, table === COST_CASES ? COST_THRESHOLDS : undefined, withMutants),
        ),
    );
}

/**
 * Runs all cases in two parallel promtool processes.
 *
 * @returns promtool's output, and the names of alerts and mutants that failed a case
 */
export async function runSpecs(
    specs: readonly AlertSpec[],
): Promise<{ output: string; failed: ReadonlySet<string> }> {
    const halves = [0, 1].map((half) =>
        specs.filter((_, index) => index % 2 === half).flatMap(({ suites }) => suites),
    );
    const outcomes = await Promise.all(halves.map(testRules));
    const output = outcomes.map((one) => one.output).join("\n");
    const names = output.matchAll(/expr: .*?alertname=\\?"(\w+)\\?"/g);
    return { output, failed: new Set([...names].map(([, name = ""]) => name)) };
}
