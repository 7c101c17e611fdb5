import { renderReport } from "../../load/report/html.ts";
import { failuresOf, judge, type Judged, type Objective } from "../../load/objectives.ts";
import { runScenario, type LoadReport, type PhaseResult } from "../../load/run.ts";
import { SCENARIOS, type Scenario } from "../../load/scenarios.ts";
import { SERVICES } from "../../load/traffic/requests.ts";
import type { Finding, Verdict } from "../criteria.ts";
import type { Step, StepContext } from "../step.ts";

/** Minutes without disturbance. */
const MINUTES = [1, 3] as const;

export const users: Step = {
    name: "users",
    title: "1,100 users at the same time through the Gateway",
    minutes: [2.5, 4.5],
    run: async (context) => {
        const report = await sendUsers(context, MINUTES[context.quick ? 0 : 1]);
        return { findings: judgeUsers(report), data: withoutSeconds(report) };
    },
};

/** Runs the scenario `users` against the platform, and writes its page. */
export async function sendUsers(
    context: StepContext,
    minutes: number,
    { name = "users", onPhase = (): void => undefined } = {},
): Promise<LoadReport> {
    const { report, showProgress, writeText, findPlatform, signal } = context;
    const { target } = await findPlatform();
    const scenario: Scenario = SCENARIOS.users;
    const result = await runScenario({
        ...{ name, scenario, target, report, showProgress, signal, onPhase },
        settings: { ...scenario.defaults, minutes, seed: 1, services: SERVICES },
        save: () => undefined,
    });
    writeText(`${name}.html`, renderReport(result));
    context.signal.throwIfAborted();
    return result;
}

/** The seconds are in the page. */
export function withoutSeconds(report: LoadReport): unknown {
    return { ...report, phases: report.phases.map((phase) => ({ ...phase, seconds: undefined })) };
}

export function judgeUsers(report: LoadReport): Record<string, Finding> {
    const [phase] = report.phases;
    if (!phase) return {};
    return {
        cached: findingOf(
            phase,
            phase.judged.filter(({ goal }) => goal.startsWith("p99")),
        ),
        load: judgeErrors(phase),
    };
}

/** Whether every request of more than 1,000 users was answered. */
export function judgeErrors(phase: PhaseResult): Finding {
    const objectives: Objective[] = [
        { measure: "errorShare", max: 0 },
        { measure: "users", min: 1001 },
    ];
    const finding = findingOf(phase, judge(objectives, phase));
    const routes = Object.values(phase.summary.routes);
    const answered = routes.reduce((all, one) => all + one.answered, 0);
    const words = [
        `${answered.toLocaleString("en")} of ${phase.scheduled.toLocaleString("en")} requests answered`,
        ...failuresOf(phase.summary),
    ].join("; ");
    return { ...finding, measured: `${words}; ${finding.measured}` };
}

function findingOf({ workload, fault }: PhaseResult, judged: readonly Judged[]): Finding {
    const words = judged.map(({ goal, measured }) => `${goal.replace(/: at .*/, "")} ${measured}`);
    return {
        measured: [...words, ...(fault === undefined ? [] : [fault])].join(", "),
        workload,
        verdict: worst(judged),
    };
}

function worst(judged: readonly Judged[]): Verdict {
    if (judged.some(({ verdict }) => verdict === "not met")) return "not met";
    return judged.length > 0 && judged.every(({ verdict }) => verdict === "met")
        ? "met"
        : "not measured";
}
