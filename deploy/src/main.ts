import { writeFileSync } from "node:fs";
import { NAMESPACES, TenantsError } from "@property-search/contract";
import { Command } from "commander";
import { callAdmin, listCommands } from "./admin/call.ts";
import { adminOfCluster, adminOfProcess } from "./admin/target.ts";
import { backUpStack, restoreStack, type BackupOptions } from "./backup/command.ts";
import { volumesIn } from "./apply/foreign.ts";
import { refuseData, removeStack } from "./apply/remove.ts";
import { requireBinding, unbind } from "./binding.ts";
import { connect, ClusterError } from "./apply/cluster.ts";
import { isApplied } from "./apply/record.ts";
import { brokenLink } from "./brokenLink.ts";
import { deploy } from "./deploy.ts";
import { chooseKubeconfig, KUBECONFIG_WORDS, stackOfMakeUp } from "./localCluster.ts";
import { pulumiDestroy } from "./pulumi/destroy.ts";
import { PreviewError, pulumiPreview } from "./pulumi/preview.ts";
import { stackApiKey } from "./pulumi/secret.ts";
import { environmentOf, generateSecrets } from "./pulumi/userStack.ts";
import { RenderError } from "./render.ts";
import { rotateStack } from "./rotate/rotateStack.ts";
import { readStack, stackNames } from "./stacks.ts";
import { newTenantKey } from "./tenantKey.ts";
import { configuredWeights } from "./verify/configured.ts";
import { VerifyError } from "./verify/client.ts";
import { verify } from "./verify/verify.ts";

interface Target {
    stack: string;
    kubeconfig?: string;
    context?: string;
}

interface PreviewFlags extends Target {
    drift: boolean;
    report?: string;
}

const interrupted = new AbortController();
// Not once: signal-exit, which execa uses, ends a process whose listeners are all its own.
process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(new Error("interrupted; run the same command again to finish"));
});

const report = (line: string) => {
    console.log(`  ${line}`);
};

const program = new Command("deploy").description("How a stack reaches a cluster");

command("up", "deploy a stack, then verify it as a client would").action(async (target: Target) => {
    const kubeconfig = chooseKubeconfig(target);
    const given = { ...target, ...(kubeconfig !== undefined && { kubeconfig }) };
    const options = { ...given, report, signal: interrupted.signal };
    const deployed = await deploy(options);
    console.log(
        `Deployed ${target.stack} in ${deployed.seconds.toFixed(0)} s: ${deployed.summary}`,
    );
    await verifyTarget(target, deployed.platformKey);
});

clustered(program.command("verify"))
    .description("use a deployed stack as a client would")
    .option("--stack <name>", "stack; default: that of `make up`", readStack)
    .action(({ stack, ...target }: Partial<Target>) =>
        verifyTarget({ ...target, stack: stack ?? stackOfMakeUp() }),
    );

command("preview", "show what pulumi up would change, and what policies say of it")
    .option("--drift", "compare with what the cluster has, and fail by any change", false)
    .option("--report <file>", "keep the report, or why there is none, in a file")
    .action(async ({ drift, report: file, ...target }: PreviewFlags) => {
        const keep = (text: string) => file !== undefined && writeFileSync(file, text);
        try {
            const cluster = connect(chooseKubeconfig(target), target.context);
            const { signal } = interrupted;
            const asked = { cluster, stack: target.stack, drift, report, signal };
            const text = await pulumiPreview(asked);
            keep(text);
            process.stdout.write(text);
        } catch (error) {
            const text = error instanceof PreviewError ? error.report : "";
            if (error instanceof Error) keep(text || `Error: ${error.message}\n`);
            process.stdout.write(text);
            throw error;
        }
    });

command("remove", "remove what a stack has created, by what brought it")
    .option("--delete-data", "its volumes too", false)
    .action(async ({ deleteData, ...target }: Target & { deleteData: boolean }) => {
        const cluster = connect(chooseKubeconfig(target), target.context);
        const { stack } = target;
        const { signal } = interrupted;
        await requireBinding({ cluster, stack, report });
        const isPulumis = !(await isApplied(cluster, stack));
        if (isPulumis && !deleteData) {
            refuseData(stack, await volumesIn(cluster, Object.values(NAMESPACES)));
        }
        const destroyed = isPulumis ? await pulumiDestroy({ cluster, stack, report, signal }) : 0;
        // Config that a deploy by Pulumi was given is in a record, too.
        const removed = await removeStack(cluster, stack, { deleteData, report, signal });
        await unbind(cluster, stack);
        for (const what of removed?.left ?? []) console.log(`  stays: ${what}`);
        const count = (removed?.count ?? 0) + destroyed;
        console.log(
            count > 0
                ? `Removed ${stack} from ${cluster.context}: ${count} objects`
                : `${cluster.context} has no stack ${stack} that was deployed from here`,
        );
    });

command(
    "secrets",
    "store the generated secrets of a stack in its config, for pulumi by hand",
).action(async (target: Target) => {
    const cluster = connect(chooseKubeconfig(target), target.context);
    const count = await generateSecrets({ cluster, stack: target.stack, report });
    const file = `Pulumi.${target.stack}.yaml`;
    console.log(
        count > 0
            ? `Stored ${count} secrets in ${file}, encrypted: commit it`
            : `${file} has all secrets`,
    );
});

command("environment", "print what pulumi by hand needs to find the backend of make deploy").action(
    async (target: Target) => {
        const cluster = connect(chooseKubeconfig(target), target.context);
        // Standard output is for a shell to read.
        const say = (line: string) => console.error(`  ${line}`);
        const lines = await environmentOf({ cluster, stack: target.stack, report: say });
        console.log(lines.join("\n"));
    },
);

for (const [name, description, act] of [
    ["backup", "write what Redis has into a file", backUpStack],
    ["restore", "bring a backup into Redis, beside what it has", restoreStack],
] as const) {
    clustered(program.command(name))
        .description(description)
        .requiredOption("--file <file>", "gzip of JSON lines")
        .action((options: Omit<BackupOptions, "report">) => act({ ...options, report }));
}

command("rotate", "replace a secret of a deployed stack, with no failed request")
    .requiredOption("--secret <key>", "its config key, such as redis.passwords.app")
    .option("--finish", "end the predecessor of tenants.platformKey", false)
    .action(async (options: Target & { secret: string; finish: boolean }) => {
        await rotateStack({ ...options, report, signal: interrupted.signal });
    });

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

interface AdminFlags {
    kubeconfig?: string;
    context?: string;
    url?: string;
    tokenFile?: string;
}

// Its words come by environment: they may hold texts and quotes, and command lines can be read by others.
clustered(program.command("admin"))
    .description(
        "ask the admin port of a pod; CMD, DATA, IN, OUT, COLOUR and POD say what and where",
    )
    .option("--url <url>", "of a process's admin port, in the place of a cluster's")
    .option("--token-file <file>", "with that process's token; ADMIN_TOKEN comes first")
    .action(async ({ url, tokenFile, ...flags }: AdminFlags) => {
        const choice = { colour: word("COLOUR"), pod: word("POD") };
        const target =
            url === undefined
                ? await adminOfCluster(connect(chooseKubeconfig(flags), flags.context), choice)
                : adminOfProcess(url, tokenFile);
        try {
            const asked = word("CMD");
            if (asked === undefined) {
                console.log(`make admin CMD="METHOD /path" [DATA='{…}'] [IN=file] [OUT=file]\n`);
                for (const line of await listCommands(target)) console.log(`  ${line}`);
                return;
            }
            await callAdmin(target, {
                command: asked,
                data: word("DATA"),
                input: word("IN"),
                output: word("OUT"),
                signal: interrupted.signal,
            });
        } finally {
            await target.close();
        }
    });

program.parseAsync().catch((error: unknown) => {
    // These are sentences for the user; anything else is a fault of ours and keeps its stack.
    const known = [ClusterError, RenderError, TenantsError, VerifyError].some(
        (type) => error instanceof type,
    );
    const wanted = known || interrupted.signal.aborted;
    const words =
        brokenLink(error) ?? (wanted && error instanceof Error ? error.message : undefined);
    console.error(words === undefined ? error : `Error: ${words}`);
    process.exitCode = 1;
});

function command(name: string, description: string): Command {
    return clustered(program.command(name))
        .description(description)
        .option("--stack <name>", "stack, one of those with a file Pulumi.<name>.yaml", readStack)
        .hook("preAction", (called) => {
            if (called.opts().stack !== undefined) return;
            throw new ClusterError(`STACK is not set; allowed: ${stackNames().join(", ")}`);
        });
}

function clustered(made: Command): Command {
    return made
        .option("--kubeconfig <file>", KUBECONFIG_WORDS)
        .option("--context <name>", "context of the kubeconfig; default: its current one");
}

/** An empty variable is an absent one: make passes all of them. */
function word(name: string): string | undefined {
    return process.env[name] === "" ? undefined : process.env[name];
}

async function verifyTarget(target: Target, key?: string): Promise<void> {
    const { stack } = target;
    const cluster = connect(chooseKubeconfig(target), target.context);
    const apiKey = key ?? (await stackApiKey({ cluster, stack, report }));
    const configured = await configuredWeights(cluster, stack);
    const { signal } = interrupted;
    const { url, weights } = await verify({ cluster, apiKey, configured, report, signal });
    console.log(`Verified ${url}: weights ${weights.blue}/${weights.green} hold`);
}
