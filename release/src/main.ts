import {
    brokenLink,
    chooseKubeconfig,
    ClusterError,
    connect,
    KUBECONFIG_WORDS,
    readStack,
    stackNames,
    VerifyError,
} from "@property-search/deploy";
import { Command, Option } from "commander";
import { deployAndSwitch } from "./commands/deploy.ts";
import { dryRun, readColour, start } from "./commands/start.ts";
import { rollback } from "./commands/rollback.ts";
import { status } from "./commands/status.ts";
import type { Context } from "./commands/context.ts";
import { ReleaseError } from "./error.ts";
import { ask } from "./machine/ask.ts";
import { openContext, type Target } from "./open.ts";
import {
    DEFAULT_PLAN,
    PLAN_DESCRIPTIONS,
    dashed,
    planOf,
    type Plan,
    type PlanFlags,
} from "./plan.ts";
import { endWords, historyText } from "./report/text.ts";
import type { Request, Switch } from "./state.ts";

const interrupted = new AbortController();
process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(
        new ReleaseError(
            "interrupted: the traffic stays as it is; make switch goes on, make rollback goes back",
        ),
    );
});

const program = new Command("release").description(
    "Moves the traffic from one colour to the other, step by step, and back when it has to",
);

planned(
    command("start", "move the traffic to a colour, or go on with the switch to it")
        .requiredOption("--to <colour>", "blue or green")
        .option("--dry-run", "say what would be done, and do nothing", false),
).action(async ({ to, dryRun: isDry, reason, direct, ...flags }: StartFlags) => {
    const plan = planOf(flags);
    const options = { to: readColour(to), plan, reason, direct };
    const context = open(flags);
    if (isDry) await dryRun(context, options);
    else finish(await start(context, options), "promoted");
});

planned(
    command("rollback", "take the traffic back: of the switch under way, else of the last one"),
).action(async ({ reason, direct, ...flags }: SwitchFlags) => {
    const options = { reason, direct, plan: planOf(flags) };
    const state = await rollback(open(flags), options);
    finish(state, state.kind === "rollback" ? "promoted" : "rolled-back");
});

planned(
    command("deploy", "deploy a stack, verify it, and switch to the colour with the new version"),
)
    .option("--image <reference>", "of the new version, for the idle colour; default: the config's")
    .option("--version <label>", "of the new version")
    .option("--in-place", "let the colour that serves be changed too", false)
    .action(async ({ image, version, inPlace, reason, direct, ...flags }: DeployFlags) => {
        const { stack } = flags;
        const kubeconfig = chooseKubeconfig(flags);
        if (!stack)
            throw new ReleaseError(`--stack is not set; allowed: ${stackNames().join(", ")}`);
        const cluster = connect(kubeconfig, flags.context);
        const plan = planOf(flags);
        const options = { cluster, stack, kubeconfig, plan, reason, direct, inPlace };
        const state = await deployAndSwitch(open(flags), { ...options, image, version });
        if (state) finish(state, "promoted");
        else
            console.log(
                `Deployed ${stack}; no colour got another version, so no traffic was moved`,
            );
    });

for (const [what, description] of [
    ["pause", "hold the switch where it is; it is judged all the same"],
    ["promote", "go on with a switch that was paused"],
] as const) {
    command(what, description)
        .option("--reason <words>", "kept with the switch", "")
        .action(async ({ reason, ...target }: Target & { reason: string }) => {
            const context = open(target);
            const { actor: by, clock } = context;
            const request: Request = { what, by, at: clock.now(), reason };
            const state = await ask(context.store, request);
            console.log(`Asked ${state.holder} to ${what} switch ${state.id}`);
        });
}

command("status", "show who serves, and where the switch stands")
    .option("--json", "as one line of JSON", false)
    .option("--watch", "again whenever it changes, until the switch is over", false)
    .action(async ({ json, watch, ...target }: Target & { json: boolean; watch: boolean }) => {
        await status(open(target, console.log), { json, watch });
    });

command("history", "list the switches that were made")
    .option("--json", "as JSON, with all their figures", false)
    .action(async ({ json, ...target }: Target & { json: boolean }) => {
        const states = await open(target).store.history();
        console.log(json ? JSON.stringify(states) : historyText(states));
    });

program.parseAsync().catch((error: unknown) => {
    // These are sentences for the user; anything else is a fault of ours and keeps its stack.
    const wanted = [ReleaseError, ClusterError, VerifyError].some((type) => error instanceof type);
    const words =
        brokenLink(error) ?? (wanted && error instanceof Error ? error.message : undefined);
    console.error(words === undefined ? error : `Error: ${words}`);
    process.exitCode = 1;
});

interface SwitchFlags extends Target, PlanFlags {
    readonly reason: string;
    readonly direct: boolean;
}

interface StartFlags extends SwitchFlags {
    readonly to: string;
    readonly dryRun: boolean;
}

interface DeployFlags extends SwitchFlags {
    readonly image?: string;
    readonly version?: string;
    readonly inPlace: boolean;
}

function command(name: string, description: string): Command {
    return program
        .command(name)
        .description(description)
        .option(
            "--stack <name>",
            "stack; default: the one that was applied to the cluster",
            readStack,
        )
        .option("--kubeconfig <file>", KUBECONFIG_WORDS)
        .option("--context <name>", "context of the kubeconfig; default: its current one");
}

function planned(made: Command): Command {
    for (const [key, description] of Object.entries(PLAN_DESCRIPTIONS)) {
        const flag = `--${dashed(key)} <${key === "steps" ? "list" : "number"}>`;
        const standard = String(DEFAULT_PLAN[key as keyof Plan]);
        made.addOption(new Option(flag, `${description} (default: ${standard})`));
    }
    return made
        .option("--reason <words>", "kept with the switch", "")
        .option("--direct", "write the route itself, past the stack's config", false);
}

function open(target: Target, report = (line: string) => console.log(`  ${line}`)): Context {
    const cluster = connect(chooseKubeconfig(target), target.context);
    return openContext(cluster, target, report, interrupted.signal);
}

function finish(state: Switch, wanted: Switch["phase"]): void {
    console.log(`${state.id}: ${endWords(state)}`);
    if (state.phase !== wanted) process.exitCode = 2;
}
