import type { Command } from "commander";
import { connectStack } from "../deploy/connectStack.ts";
import { missingForPulumi, requirePulumi } from "../deploy/pulumi/installed.ts";
import { environmentOf, generateSecrets } from "../deploy/userStack.ts";
import { readIssuedSecret, storeIssuedSecret } from "../rotate/issuedSecret.ts";
import { rotateStack } from "../rotate/rotateStack.ts";
import { isGiven, readRotatable } from "../rotate/steps.ts";
import { standardInput } from "./files.ts";
import { interrupted, onStack, report, type StackTarget } from "./target.ts";

/** The secrets of a stack, and how Pulumi by hand finds what a deploy uses. */
export function addSecretCommands(program: Command): void {
    onStack(program.command("rotate"))
        .description("replace a secret of a deployed stack, with no failed request")
        .requiredOption(
            "--secret <key>",
            "its config key, such as redis.passwords.app",
            readRotatable,
        )
        .option("--finish", "end the predecessor of tenants.platformKey", false)
        .action(async (options: StackTarget & { secret: string; finish: boolean }) => {
            const { secret } = options;
            const value = isGiven(secret)
                ? await standardInput(`make rotate SECRET=${secret}`)
                : undefined;
            await rotateStack({ ...options, value, report, signal: interrupted.signal });
        });

    onStack(program.command("secrets"))
        .description(
            "store the generated secrets of a stack in its config, for pulumi by hand; or an issued one, for deploys without Pulumi",
        )
        .option("--secret <key>", "of an issued one, by standard input", readIssuedSecret)
        .action(storeSecrets);

    onStack(program.command("environment"))
        .description("print what pulumi by hand needs to find the backend of make deploy")
        .action(async (target: StackTarget) => {
            await requirePulumi("make pulumi-env");
            const cluster = await connectStack(target);
            // Standard output is for a shell to read.
            const say = (line: string) => console.error(`  ${line}`);
            const lines = await environmentOf({ cluster, stack: target.stack, report: say });
            console.log(lines.join("\n"));
        });
}

async function storeSecrets(options: StackTarget & { secret?: string }): Promise<void> {
    const { secret, ...target } = options;
    const { stack } = target;
    if (secret !== undefined) {
        const value = await standardInput(`make secrets SECRET=${secret}`);
        const cluster = await connectStack(target);
        const missing = await missingForPulumi();
        await storeIssuedSecret({ cluster, stack, secret, value, missing });
        console.log(`Stored ${secret} on ${cluster.context}: the next make deploy uses it`);
        return;
    }
    await requirePulumi("make secrets");
    const cluster = await connectStack(target);
    const count = await generateSecrets({ cluster, stack, report });
    const file = `Pulumi.${stack}.yaml`;
    console.log(
        count > 0
            ? `Stored ${count} secrets in ${file}, encrypted: commit it`
            : `${file} has all secrets`,
    );
}
