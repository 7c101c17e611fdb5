import { TenantsError } from "@property-search/contract";
import { Command } from "commander";
import { callAdmin, listCommands } from "./admin/call.ts";
import { adminOfCluster, adminOfProcess } from "./admin/target.ts";
import { removeStack } from "./apply/remove.ts";
import { connect, ClusterError } from "./apply/cluster.ts";
import { deploy } from "./deploy.ts";
import { pulumiPreview } from "./pulumi/preview.ts";
import { RenderError } from "./render.ts";
import { newTenantKey } from "./tenantKey.ts";
import { VerifyError } from "./verify/client.ts";
import { verify } from "./verify/verify.ts";

interface Target {
    stack: string;
    kubeconfig?: string;
    context?: string;
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
    const options = { ...target, report, signal: interrupted.signal };
    const deployed = await deploy(options);
    console.log(
        `Deployed ${target.stack} in ${deployed.seconds.toFixed(0)} s: ${deployed.summary}`,
    );
    await verifyTarget(target, deployed.platformKey);
});

command("verify", "use a deployed stack as a client would").action((target: Target) =>
    verifyTarget(target),
);

command("preview", "show what pulumi up would change, and what policies say of it")
    .option("--drift", "compare with what the cluster has, and fail by any change", false)
    .action(async ({ stack, drift }: Target & { drift: boolean }) => {
        await pulumiPreview({ stack, drift, signal: interrupted.signal });
    });

command("remove", "remove a stack that was deployed by apply").action(async (target: Target) => {
    const cluster = connect(target.kubeconfig, target.context);
    const count = await removeStack(cluster, target.stack, report, interrupted.signal);
    console.log(
        count > 0
            ? `Removed ${target.stack} from ${cluster.context}: ${count} objects`
            : `${cluster.context} has no stack ${target.stack} that was deployed by apply`,
    );
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
program
    .command("admin")
    .description(
        "ask the admin port of a pod; CMD, DATA, IN, OUT, COLOUR and POD say what and where",
    )
    .option("--kubeconfig <file>", "kubeconfig; default: KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "context of the kubeconfig; default: its current one")
    .option("--url <url>", "of a process's admin port, in the place of a cluster's")
    .option("--token-file <file>", "with that process's token; ADMIN_TOKEN comes first")
    .action(async ({ kubeconfig, context, url, tokenFile }: AdminFlags) => {
        const choice = { colour: word("COLOUR"), pod: word("POD") };
        const target =
            url === undefined
                ? await adminOfCluster(connect(kubeconfig, context), choice)
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
    console.error(wanted && error instanceof Error ? `Error: ${error.message}` : error);
    process.exitCode = 1;
});

function command(name: string, description: string): Command {
    return program
        .command(name)
        .description(description)
        .requiredOption("--stack <name>", "stack: dev, prod or local")
        .option("--kubeconfig <file>", "kubeconfig; default: KUBECONFIG, then ~/.kube/config")
        .option("--context <name>", "context of the kubeconfig; default: its current one");
}

/** An empty variable is an absent one: make passes all of them. */
function word(name: string): string | undefined {
    return process.env[name] === "" ? undefined : process.env[name];
}

async function verifyTarget({ kubeconfig, context }: Target, apiKey?: string): Promise<void> {
    const cluster = connect(kubeconfig, context);
    const { url, weights } = await verify({ cluster, apiKey, report, signal: interrupted.signal });
    console.log(`Verified ${url}: weights ${weights.blue}/${weights.green} hold`);
}
