import type { Colour } from "@property-search/contract";
import { Option, type Command } from "commander";
import { connectStack } from "../deploy/connectStack.ts";
import type { Context } from "../release/commands/context.ts";
import { createContext } from "../release/commands/createContext.ts";
import { rollback } from "../release/commands/rollback.ts";
import { dryRun, readColour, start } from "../release/commands/start.ts";
import { status } from "../release/commands/status.ts";
import { requestAction } from "../release/machine/requestAction.ts";
import {
    toKebabCase,
    DEFAULT_PLAN,
    PLAN_DESCRIPTIONS,
    parsePlan,
    type Plan,
    type PlanFlags,
} from "../release/plan.ts";
import { describeEnd, historyText } from "../release/report/text.ts";
import type { ActionRequest, Switch } from "../release/state.ts";
import {
    interruption,
    withStackOptions,
    report,
    withInterruptMessage,
    type Target,
} from "./target.ts";

export interface SwitchFlags extends Target, PlanFlags {
    readonly reason: string;
    readonly force: boolean;
}

interface StartFlags extends SwitchFlags {
    readonly to: Colour;
    readonly dryRun: boolean;
}

/** Commands that shift traffic between the colours in steps, and roll it back. */
export function addSwitchCommands(program: Command): void {
    const command = (name: string): Command =>
        withResumeHint(
            withStackOptions(
                program.command(name),
                "; default: the stack that was applied to the cluster",
            ),
        );

    withPlanOptions(command("switch"))
        .description("shift traffic to a colour, or resume the switch to it")
        .requiredOption("--to <colour>", "blue or green", readColour)
        .option("--dry-run", "print the plan and change nothing", false)
        .action(async ({ to, dryRun: isDry, reason, force, ...flags }: StartFlags) => {
            const options = { to, plan: parsePlan(flags), reason, force };
            const context = await createSwitchContext(flags);
            if (isDry) await dryRun(context, options);
            else reportEnd(await start(context, options), "promoted");
        });

    command("status")
        .description("show traffic weights and rollout progress")
        .option("--json", "print one line of JSON", false)
        .option("--watch", "print every change until the switch has ended", false)
        .action(async ({ json, watch, ...target }: Target & { json: boolean; watch: boolean }) => {
            await status(await createSwitchContext(target, console.log), { json, watch });
        });

    withPlanOptions(command("rollback"))
        .description("abort the current switch, else revert the last one")
        .action(async ({ reason, force, ...flags }: SwitchFlags) => {
            const options = { reason, force, plan: parsePlan(flags) };
            const state = await rollback(await createSwitchContext(flags), options);
            reportEnd(state, state.kind === "rollback" ? "promoted" : "rolled-back");
        });

    for (const [what, description] of [
        ["pause", "pause the switch at its current step; the analysis continues"],
        ["promote", "resume a paused switch"],
    ] as const) {
        command(what)
            .description(description)
            .option("--reason <words>", "recorded with the switch", "")
            .action(async ({ reason, ...target }: Target & { reason: string }) => {
                const context = await createSwitchContext(target);
                const { actor: by, clock } = context;
                const request: ActionRequest = { action: what, by, at: clock.now(), reason };
                const state = await requestAction(context.store, request);
                console.log(`Requested ${state.holder} to ${what} switch ${state.id}`);
            });
    }

    command("history")
        .description("list past switches")
        .option("--json", "print JSON with all figures", false)
        .action(async ({ json, ...target }: Target & { json: boolean }) => {
            const states = await (await createSwitchContext(target)).store.history();
            console.log(json ? JSON.stringify(states) : historyText(states));
        });
}

/** Adds the options of a rollout plan to a command. */
export function withPlanOptions(made: Command): Command {
    for (const [key, description] of Object.entries(PLAN_DESCRIPTIONS)) {
        const flag = `--${toKebabCase(key)} <${key === "steps" ? "list" : "number"}>`;
        const standard = String(DEFAULT_PLAN[key as keyof Plan]);
        made.addOption(new Option(flag, `${description} (default: ${standard})`));
    }
    return withResumeHint(made)
        .option("--reason <words>", "recorded with the switch", "")
        .option("--force", "write the route directly, past the stack's config", false);
}

function withResumeHint(command: Command): Command {
    return withInterruptMessage(
        command,
        "interrupted; weights unchanged. Resume with the same command, revert with `make rollback`",
    );
}

export async function createSwitchContext(target: Target, onReport = report): Promise<Context> {
    const cluster = await connectStack(target);
    return createContext(cluster, target.stack, onReport, interruption.signal);
}

export function reportEnd(state: Switch, wanted: Switch["phase"]): void {
    console.log(`${state.id}: ${describeEnd(state)}`);
    if (state.phase !== wanted) process.exitCode = 2;
}
