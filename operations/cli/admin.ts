import type { Command } from "commander";
import { callAdmin, listCommands, readCommand } from "../admin/call.ts";
import { adminOfCluster, adminOfProcess } from "../admin/target.ts";
import { newTenantKey } from "../admin/tenantKey.ts";
import { backUpStack, restoreStack, type BackupOptions } from "../backup/command.ts";
import { connect } from "../cluster/connect.ts";
import { chooseKubeconfig } from "../stack/localCluster.ts";
import { inputFile, outputFile } from "./files.ts";
import { interrupted, onCluster, report, type Target } from "./target.ts";

interface AdminFlags extends Omit<Target, "stack"> {
    readonly url?: string;
    readonly tokenFile?: string;
}

/** The service at work: its admin port, its tenants, and what Redis has. */
export function addAdminCommands(program: Command): void {
    // Its words come by environment: they may hold texts and quotes, and command lines can be read by others.
    onCluster(program.command("admin"))
        .description(
            "ask the admin port of a pod; CMD, DATA, IN, OUT, COLOUR and POD say what and where",
        )
        .option("--url <url>", "of a process's admin port, in the place of a cluster's")
        .option("--token-file <file>", "with that process's token; ADMIN_TOKEN comes first")
        .action(askAdmin);

    program
        .command("tenant-key")
        .description("make an API key of a tenant; it is shown once")
        .requiredOption("--tenant <id>", "lower-case letters, digits, dots and dashes")
        .action(({ tenant }: { tenant: string }) => {
            const { key, listed } = newTenantKey(tenant);
            console.log(`For the tenant, shown this once:
  ${key}

For the stack's config, as an entry of the list property-search:tenants.list:
  ${JSON.stringify(listed)}

A tenant may have several keys: list both hashes while one replaces the other.`);
        });

    for (const [name, description, act, read] of [
        ["backup", "write what Redis has into a file", backUpStack, outputFile("OUT")],
        ["restore", "bring a backup into Redis, beside what it has", restoreStack, inputFile("IN")],
    ] as const) {
        onCluster(program.command(name))
            .description(description)
            .requiredOption("--file <file>", "gzip of JSON lines", read)
            .action((options: Omit<BackupOptions, "report">) => act({ ...options, report }));
    }
}

async function askAdmin({ url, tokenFile, ...flags }: AdminFlags): Promise<void> {
    const choice = { colour: word("COLOUR"), pod: word("POD") };
    const [asked, input, output] = ["CMD", "IN", "OUT"].map(word);
    if (asked !== undefined) readCommand(asked);
    if (input !== undefined && input !== "-") inputFile("IN")(input);
    if (output !== undefined) outputFile("OUT")(output);
    const target =
        url === undefined
            ? await adminOfCluster(connect(chooseKubeconfig(flags), flags.context), choice)
            : adminOfProcess(url, tokenFile);
    try {
        if (asked === undefined) {
            console.log(`make admin CMD="METHOD /path" [DATA='{…}'] [IN=file] [OUT=file]\n`);
            for (const line of await listCommands(target)) console.log(`  ${line}`);
            return;
        }
        await callAdmin(target, {
            command: asked,
            data: word("DATA"),
            input,
            output,
            signal: interrupted.signal,
        });
    } finally {
        await target.close();
    }
}

/** An empty variable is an absent one: make passes all of them. */
function word(name: string): string | undefined {
    return process.env[name] === "" ? undefined : process.env[name];
}
