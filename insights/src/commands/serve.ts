import type { Command } from "commander";
import { MAX_DAYS_KEPT, print, readNumber, readSecret, readUrl, requireSecret } from "./flags.ts";

interface ServeFlags {
    readonly prometheus: string;
    readonly tokenFile?: string;
    readonly folder: string;
    readonly port: number;
    readonly accessTokenFile: string;
    readonly keep: number;
}

/** Adds the command `serve`. What it runs is loaded with it: each command needs other packages. */
export function addServe(program: Command): void {
    program
        .command("serve")
        .description("serve the page /impact, its API and the reports")
        .requiredOption("--prometheus <url>", "base URL of Prometheus", readUrl("--prometheus"))
        .option("--token-file <file>", "file with its bearer token; default: none")
        .requiredOption("--folder <folder>", "data folder: hours, reports, tuning record")
        .option("--port <number>", "port, on all addresses", readNumber("--port", 65_535), 8090)
        .requiredOption("--access-token-file <file>", "file with the token that opens the page")
        .option(
            "--keep <days>",
            "days for which reports are kept",
            readNumber("--keep", MAX_DAYS_KEPT),
            90,
        )
        .action(async (flags: ServeFlags) => {
            const { serve } = await import("../server/serve.ts");
            const running = await serve({
                prometheus: { url: flags.prometheus, token: readSecret(flags.tokenFile) },
                folder: flags.folder,
                port: flags.port,
                keep: flags.keep,
                accessToken: requireSecret(flags.accessTokenFile),
                print,
            });
            print(`The page is at http://localhost:${running.port}/impact`);
            for (const signal of ["SIGTERM", "SIGINT"] as const)
                process.once(signal, () => void running.stop());
        });
}
