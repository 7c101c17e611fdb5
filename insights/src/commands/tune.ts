import { UserError } from "@property-search/contract";
import { Option, type Command } from "commander";
import { createSettingsPort } from "../tuning/admin.ts";
import { MODES, type Mode } from "../tuning/record.ts";
import { createFileStore, createPageStore, type RecordStore } from "../tuning/recordStore.ts";
import {
    checkDistinctTokens,
    print,
    readSecret,
    readTime,
    readUrl,
    requireSecret,
} from "./flags.ts";

interface TuneFlags {
    readonly prometheus: string;
    readonly tokenFile?: string;
    readonly admin: readonly string[];
    readonly adminTokenFile: string;
    readonly publish?: string;
    readonly publishTokenFile?: string;
    readonly record?: string;
    readonly mode: Mode;
    readonly rules: Mode;
    readonly storageDollarsPerGibHour?: number;
    readonly now?: number;
}

/** Adds the command `tune`. What it runs is loaded with it: each command needs other packages. */
export function addTune(program: Command): void {
    program
        .command("tune")
        .description("adjust run-time settings of the service to the last day, in bounded steps")
        .requiredOption("--prometheus <url>", "base URL of Prometheus", readUrl("--prometheus"))
        .option("--token-file <file>", "file with its bearer token; default: none")
        .requiredOption(
            "--admin <url>",
            "admin port of a pod; repeat it for other colours",
            (url: string, earlier: readonly string[] | undefined) => [
                ...(earlier ?? []),
                readUrl("--admin")(url),
            ],
        )
        .requiredOption("--admin-token-file <file>", "file with the token of the admin port")
        .option(
            "--publish <url>",
            "base URL of the page, which keeps the record",
            readUrl("--publish"),
        )
        .option("--publish-token-file <file>", "file with its access token")
        .option("--record <file>", "file of the record, instead of the page")
        .addOption(
            new Option("--mode <mode>", "off: revert tuned settings; review: propose only")
                .choices([...MODES])
                .default("review"),
        )
        .addOption(
            new Option("--rules <mode>", "the same for concept rules; off: they are not looked at")
                .choices([...MODES])
                .default("review"),
        )
        .option(
            "--storage-dollars-per-gib-hour <dollars>",
            "price of Redis memory; default: the storage cost of the stack over the memory limit",
            readPrice,
        )
        .option(
            "--now <time>",
            "time of the run in RFC 3339, of the past; default: now",
            readTime("--now"),
        )
        .action(async (flags: TuneFlags) => {
            const { tune } = await import("../tuning/tune.ts");
            const now = flags.now === undefined ? new Date() : new Date(flags.now * 1000);
            const to = Math.floor(now.getTime() / 60_000) * 60;
            const adminToken = requireSecret(flags.adminTokenFile);
            checkDistinctTokens(adminToken, readSecret(flags.publishTokenFile));
            await tune({
                prometheus: { url: flags.prometheus, token: readSecret(flags.tokenFile) },
                settings: createSettingsPort(
                    flags.admin.map((url) => ({ url, token: adminToken })),
                ),
                store: readStore(flags),
                mode: flags.mode,
                rulesMode: flags.rules,
                window: { from: to - 24 * 3600, to },
                dollarsPerGibHour: flags.storageDollarsPerGibHour,
                now,
                print,
            });
        });
}

function readStore({ publish, publishTokenFile, record }: TuneFlags): RecordStore {
    if ((publish === undefined) === (record === undefined))
        throw new UserError("--publish or --record is required, and not both");
    if (record !== undefined) return createFileStore(record);
    const token = readSecret(publishTokenFile);
    if (token === undefined) throw new UserError("--publish needs --publish-token-file");
    return createPageStore({ url: publish ?? "", token });
}

function readPrice(text: string): number {
    if (/^\d{1,7}(\.\d{1,12})?$/.test(text) && Number(text) > 0) return Number(text);
    throw new UserError(
        `--storage-dollars-per-gib-hour is "${text}"; allowed: dollars above 0 such as 0.02`,
    );
}
