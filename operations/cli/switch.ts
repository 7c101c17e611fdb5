import type { Colour } from "@property-search/contract";
import { Option, type Command } from "commander";
import { connectStack } from "../deploy/connectStack.ts";
import type { Context } from "../release/commands/context.ts";
import { openContext } from "../release/commands/createContext.ts";
import { rollback } from "../release/commands/rollback.ts";
import { dryRun, readColour, start } from "../release/commands/start.ts";
import { status } from "../release/commands/status.ts";
import { ask } from "../release/machine/requestAction.ts";
import {
    dashed,
    DEFAULT_PLAN,
    PLAN_DESCRIPTIONS,
    planOf,
    type Plan,
    type PlanFlags,
} from "../release/plan.ts";
import { endWords, historyText } from "../release/report/text.ts";
import type { Request, Switch } from "../release/state.ts";
import { interrupted, onStack, report, whenInterrupted, type Target } from "./target.ts";

export interface SwitchFlags extends Target, PlanFlags {
    readonly reason: string;
    readonly direct: boolean;
}

interface StartFlags extends SwitchFlags {
    readonly to: Colour;
    readonly dryRun: boolean;
}

/** Moves the traffic from one colour to the other, step by step, and back when it has to. */
export function addSwitchCommands(program: Command): void {
    const command = (name: string): Command =>
        staying(
            onStack(program.command(name), "; default: the one that was applied to the cluster"),
        );

    planned(command("switch"))
        .description("move the traffic to a colour, or go on with the switch to it")
        .requiredOption("--to <colour>", "blue or green", readColour)
        .option("--dry-run", "say what would be done, and do nothing", false)
        .action(async ({ to, dryRun: isDry, reason, direct, ...flags }: StartFlags) => {
            const options = { to, plan: planOf(flags), reason, direct };
            const context = await open(flags);
            if (isDry) await dryRun(context, options);
            else finish(await start(context, options), "promoted");
        });

    command("status")
        .description("show who serves, and where the switch stands")
        .option("--json", "as one line of JSON", false)
        .option("--watch", "again whenever it changes, until the switch is over", false)
        .action(async ({ json, watch, ...target }: Target & { json: boolean; watch: boolean }) => {
            await status(await open(target, console.log), { json, watch });
        });

    planned(command("rollback"))
        .description("take the traffic back: of the switch under way, else of the last one")
        .action(async ({ reason, direct, ...flags }: SwitchFlags) => {
            const options = { reason, direct, plan: planOf(flags) };
            const state = await rollback(await open(flags), options);
            finish(state, state.kind === "rollback" ? "promoted" : "rolled-back");
        });

    for (const [what, description] of [
        ["pause", "hold the switch where it is; it is judged all the same"],
        ["promote", "go on with a switch that was paused"],
    ] as const) {
        command(what)
            .description(description)
            .option("--reason <words>", "kept with the switch", "")
            .action(async ({ reason, ...target }: Target & { reason: string }) => {
                const context = await open(target);
                const { actor: by, clock } = context;
                const request: Request = { what, by, at: clock.now(), reason };
                const state = await ask(context.store, request);
                console.log(`Asked ${state.holder} to ${what} switch ${state.id}`);
            });
    }

    command("history")
        .description("list the switches that were made")
        .option("--json", "as JSON, with all their figures", false)
        .action(async ({ json, ...target }: Target & { json: boolean }) => {
            const states = await (await open(target)).store.history();
            console.log(json ? JSON.stringify(states) : historyText(states));
        });
}

/** A command that may move traffic, with how it does. */
export function planned(made: Command): Command {
    for (const [key, description] of Object.entries(PLAN_DESCRIPTIONS)) {
        const flag = `--${dashed(key)} <${key === "steps" ? "list" : "number"}>`;
        const standard = String(DEFAULT_PLAN[key as keyof Plan]);
        made.addOption(new Option(flag, `${description} (default: ${standard})`));
    }
    return staying(made)
        .option("--reason <words>", "kept with the switch", "")
        .option("--direct", "write the route itself, past the stack's config", false);
}

function staying(command: Command): Command {
    return whenInterrupted(
        command,
        "interrupted: the traffic stays as it is; the same command goes on, make rollback goes back",
    );
}

export async function open(target: Target, told = report): Promise<Context> {
    const cluster = await connectStack(target);
    return openContext(cluster, target.stack, told, interrupted.signal);
}

export function finish(state: Switch, wanted: Switch["phase"]): void {
    console.log(`${state.id}: ${endWords(state)}`);
    if (state.phase !== wanted) process.exitCode = 2;
}
