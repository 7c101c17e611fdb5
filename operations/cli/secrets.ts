import type { Command } from "commander";
import { connectStack } from "../deploy/connectStack.ts";
import { findMissingPrerequisite, requirePulumi } from "../deploy/pulumi/installed.ts";
import { formatEnvironment, storeGeneratedSecrets } from "../deploy/userStack.ts";
import { readIssuedSecret, storeIssuedSecret } from "../rotate/issuedSecret.ts";
import { rotateStack } from "../rotate/rotateStack.ts";
import { isExternallyIssued, readRotatable } from "../rotate/steps.ts";
import { readStandardInput } from "./files.ts";
import { interruption, withStackOptions, report, type StackTarget } from "./target.ts";

/** Commands for the secrets of a stack, and for manual use of its Pulumi backend. */
export function addSecretCommands(program: Command): void {
    withStackOptions(program.command("rotate"))
        .description("rotate a secret of a deployed stack without failed requests")
        .requiredOption(
            "--secret <key>",
            "config key of the secret, such as redis.passwords.app",
            readRotatable,
        )
        .option("--finish", "revoke the predecessor of tenants.platformKey", false)
        .action(async (options: StackTarget & { secret: string; finish: boolean }) => {
            const { secret } = options;
            const value = isExternallyIssued(secret)
                ? await readStandardInput(`make rotate SECRET=${secret}`)
                : undefined;
            await rotateStack({ ...options, value, report, signal: interruption.signal });
        });

    withStackOptions(program.command("secrets"))
        .description(
            "store the generated secrets of a stack in its config, for manual pulumi; or an issued secret, for deploys without Pulumi",
        )
        .option(
            "--secret <key>",
            "config key of an issued secret, whose value comes from standard input",
            readIssuedSecret,
        )
        .action(storeSecrets);

    withStackOptions(program.command("environment"))
        .description("print the environment with which pulumi finds the backend of make deploy")
        .action(async (target: StackTarget) => {
            await requirePulumi("make pulumi-env");
            const cluster = await connectStack(target);
            // Standard output is evaluated by a shell.
            const say = (line: string) => console.error(`  ${line}`);
            const lines = await formatEnvironment({ cluster, stack: target.stack, report: say });
            console.log(lines.join("\n"));
        });
}

async function storeSecrets(options: StackTarget & { secret?: string }): Promise<void> {
    const { secret, ...target } = options;
    const { stack } = target;
    if (secret !== undefined) {
        const value = await readStandardInput(`make secrets SECRET=${secret}`);
        const cluster = await connectStack(target);
        const missing = await findMissingPrerequisite();
        await storeIssuedSecret({ cluster, stack, secret, value, missing });
        console.log(`Stored ${secret} on ${cluster.context}: the next make deploy uses it`);
        return;
    }
    await requirePulumi("make secrets");
    const cluster = await connectStack(target);
    const count = await storeGeneratedSecrets({ cluster, stack, report });
    const file = `Pulumi.${stack}.yaml`;
    console.log(
        count > 0
            ? `Stored ${count} secrets in ${file}, encrypted: commit it`
            : `${file} has all secrets`,
    );
}
