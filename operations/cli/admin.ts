import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import { callAdmin, listCommands, readCommand } from "../admin/call.ts";
import { clusterAdminTarget, processAdminTarget } from "../admin/target.ts";
import { createTenantKey } from "../admin/tenantKey.ts";
import { backUpStack, restoreStack, type BackupOptions } from "../backup/command.ts";
import { connect } from "../cluster/connect.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";
import { reportExperiment, type ExperimentOptions } from "../experiments/report.ts";
import { optimize, type OptimizeOptions } from "../optimize/optimize.ts";
import { showImpactPage } from "../impact/impact.ts";
import { chooseKubeconfig } from "../stack/localCluster.ts";
import { parseInputFile, parseOutputFile } from "./files.ts";
import { interruption, withClusterOptions, report, type Target } from "./target.ts";

interface AdminFlags extends Omit<Target, "stack"> {
    readonly url?: string;
    readonly tokenFile?: string;
}

/** Commands for the running service: admin port, tenants, backup and restore of Redis. */
export function addAdminCommands(program: Command): void {
    // Arguments come from the environment: they may contain texts and quotes, and other users can read command lines.
    withClusterOptions(program.command("admin"))
        .description(
            "call the admin port of a pod; CMD, DATA, IN, OUT, COLOUR and POD select request and pod",
        )
        .option("--url <url>", "admin port of a process, instead of a pod")
        .option(
            "--token-file <file>",
            "file with the token of that process; ADMIN_TOKEN takes precedence",
        )
        .action(callAdminPort);

    program
        .command("tenant-key")
        .description("create an API key of a tenant; it is shown once")
        .requiredOption("--tenant <id>", "lower-case letters, digits, dots and dashes")
        .action(({ tenant }: { tenant: string }) => {
            const { key, configEntry } = createTenantKey(tenant);
            console.log(`API key for the tenant, shown only once:
  ${key}

Entry for the list property-search:tenants.list in the stack's config:
  ${JSON.stringify(configEntry)}

A tenant may have several keys: list both hashes while one key replaces the other.`);
        });

    withClusterOptions(program.command("experiment"))
        .description("compare the arms of an experiment by metrics from Prometheus")
        .requiredOption("--name <name>", "name in service.experiments", readName)
        .option(
            "--window <duration>",
            "window that starts before the experiment, such as 14d",
            readWindow,
            "14d",
        )
        .action(async ({ name, window, ...target }: Target & ExperimentOptions) => {
            const cluster = connect(chooseKubeconfig(target), target.context);
            const get = await prometheusAccess(cluster);
            const lines = await reportExperiment(
                (path, parameters) => get(`${path}?${new URLSearchParams(parameters).toString()}`),
                { name, window },
            );
            for (const line of lines) console.log(line);
        });

    withClusterOptions(program.command("optimize"))
        .description(
            "analyse the savings of the cache with the cluster's Prometheus (docs/insights.md)",
        )
        .requiredOption("--out <folder>", "folder of all reports")
        .option("--hours <number>", "hours of the window; default: 24")
        .option("--slack-webhook-file <file>", "file with the URL of an incoming webhook of Slack")
        .action(
            async ({
                kubeconfig,
                context,
                ...options
            }: Target & Pick<OptimizeOptions, "out" | "hours" | "slackWebhookFile">) => {
                const target = { ...(kubeconfig && { kubeconfig }), ...(context && { context }) };
                const cluster = connect(chooseKubeconfig(target), context);
                await optimize(cluster, { ...options, report, signal: interruption.signal });
            },
        );

    withClusterOptions(program.command("impact"))
        .description("print the URL of the insights page, and how to log in")
        .action(async (target: Target) => {
            const cluster = connect(chooseKubeconfig(target), target.context);
            await showImpactPage(cluster, { print: console.log, signal: interruption.signal });
        });

    for (const [name, description, act, read] of [
        ["backup", "back up the entries of Redis to a file", backUpStack, parseOutputFile("OUT")],
        [
            "restore",
            "restore a backup into Redis; existing keys stay",
            restoreStack,
            parseInputFile("IN"),
        ],
    ] as const) {
        withClusterOptions(program.command(name))
            .description(description)
            .requiredOption("--file <file>", "gzip file of JSON lines", read)
            .action((options: Omit<BackupOptions, "report">) => act({ ...options, report }));
    }
}

function readName(name: string): string {
    if (/^[a-z][a-z0-9_]{0,62}$/.test(name)) return name;
    throw new UserError(
        `--name is "${name}"; allowed: lower-case letters, digits and _, at most 63`,
    );
}

function readWindow(window: string): string {
    if (/^[1-9]\d{0,3}[mhdw]$/.test(window)) return window;
    throw new UserError(
        `--window is "${window}"; allowed: a number of minutes, hours, days or weeks such as 14d`,
    );
}

async function callAdminPort({ url, tokenFile, ...flags }: AdminFlags): Promise<void> {
    const choice = { colour: readVariable("COLOUR"), pod: readVariable("POD") };
    const [command, input, output] = ["CMD", "IN", "OUT"].map(readVariable);
    if (command !== undefined) readCommand(command);
    if (input !== undefined && input !== "-") parseInputFile("IN")(input);
    if (output !== undefined) parseOutputFile("OUT")(output);
    const target =
        url === undefined
            ? await clusterAdminTarget(connect(chooseKubeconfig(flags), flags.context), choice)
            : processAdminTarget(url, tokenFile);
    try {
        if (command === undefined) {
            console.log(`make admin CMD="METHOD /path" [DATA='{…}'] [IN=file] [OUT=file]\n`);
            for (const line of await listCommands(target)) console.log(`  ${line}`);
            return;
        }
        await callAdmin(target, {
            command,
            data: readVariable("DATA"),
            input,
            output,
            signal: interruption.signal,
        });
    } finally {
        await target.close();
    }
}

/** Treats an empty variable as unset: make passes all of them. */
function readVariable(name: string): string | undefined {
    return process.env[name] === "" ? undefined : process.env[name];
}
