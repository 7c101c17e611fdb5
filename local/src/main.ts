import {
    COLOURS,
    HEADERS,
    PATHS as HTTP_PATHS,
    PORTS,
    REDIS_NAME,
    runCommand,
} from "@property-search/contract";
import { Command } from "commander";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { endClusters } from "./down.ts";
import { takeLock } from "./lock.ts";
import { removeKindCluster } from "./kind/cluster.ts";
import { clusterNodes, findEngine } from "./kind/engine.ts";
import { removeServiceImages } from "./kind/images.ts";
import { forgetPulumiState } from "./node/pulumiState.ts";
import { nodeOfAnother, removeNode } from "./node/remove.ts";
import { endOrphans, markRun } from "./orphans.ts";
import { PATHS } from "./paths.ts";
import { LocalError, logFile } from "./shell.ts";
import { status } from "./status.ts";
import { buildActionlint } from "./toolchain/actionlint.ts";
import { certificateTools } from "./toolchain/certificates.ts";
import { pulumiCli } from "./toolchain/pulumi.ts";
import { up, type UpResult } from "./up.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not once: signal-exit, which the task list uses, ends a process whose listeners are all its own.
    process.on(signal, () => {
        if (interrupted.signal.aborted) process.exit(130);
        interrupted.abort(
            new LocalError("interrupted; what is done is kept, run make up again to go on"),
        );
    });
}

const program = new Command("local").description("The platform on this machine");

program
    .command("up")
    .description("set everything up and run it")
    .option("--context <name>", "an existing cluster's context; default: a cluster of its own")
    .option("--stack <name>", "the stack that goes to an existing cluster; default: the one it has")
    .action(locked(runUp));
program.command("down").description("leave nothing behind").action(locked(runDown));
program
    .command("pulumi-cli")
    .description("the Pulumi CLI for tests, built where PATH has none; says where it is")
    .action(async () => {
        const step = { log: logFile("pulumi-cli"), signal: interrupted.signal, say: console.log };
        console.log(await pulumiCli(step));
    });
program
    .command("actionlint")
    .description("the linter of GitHub's workflows, built once; says where it is")
    .action(async () => {
        const step = { log: logFile("actionlint"), signal: interrupted.signal, say: console.log };
        console.log(`actionlint is in ${await buildActionlint(step)}`);
    });
program
    .command("certificate-tools")
    .description("what tests of certificates need, built once; says where it is")
    .action(async () => {
        const step = {
            log: logFile("certificate-tools"),
            signal: interrupted.signal,
            say: console.log,
        };
        const { helm, chart } = await certificateTools(step);
        console.log(`Helm is in ${helm}, cert-manager's chart in ${chart}`);
    });
program
    .command("status")
    .description("what is here")
    .action(async () => {
        console.log(await status());
    });

await runCommand(program, interrupted);
// What was started would keep it.
if (process.exitCode === 1) process.exit();

function locked<T>(action: (options: T) => Promise<void>): (options: T) => Promise<void> {
    return async (options) => {
        const giveBack = await takeLock(PATHS.lock);
        endOrphans(PATHS.lock);
        markRun(PATHS.lock);
        try {
            await action(options);
        } finally {
            giveBack();
        }
    };
}

async function runUp(options: { context?: string; stack?: string }): Promise<void> {
    console.log(summary(await up({ ...options, signal: interrupted.signal })));
}

async function runDown(): Promise<void> {
    const kind = await endClusters({ nodeOfAnother, removeNode, removeKind });
    await rm(PATHS.node, { recursive: true, force: true });
    await forgetPulumiState();
    console.log(
        kind ?? "Down: no process, mount, namespace, link or cgroup is left; the caches are kept.",
    );
}

/** @returns what is left of kind, in a sentence; undefined: there was no cluster of kind's */
async function removeKind(): Promise<string | undefined> {
    const engine = await findEngine();
    if (engine === undefined) {
        if (!existsSync(PATHS.kind)) return undefined;
        throw new LocalError(
            "the cluster of kind cannot be removed: no container engine answers (docker, podman, " +
                "nerdctl); start it, then run make down again",
        );
    }
    const step = { log: logFile("down"), signal: interrupted.signal, say: console.log };
    const existed = (await clusterNodes(engine)).length > 0;
    await removeKindCluster(step, engine);
    await removeServiceImages(step, engine);
    return existed
        ? `Down: no container, volume or image of ours is left; ${engine} keeps kind's node image and network, ` +
              "and what it cached of builds."
        : undefined;
}

/** How to ask where everybody needs an API key. */
function keyHint(): string {
    if (process.env.ANONYMOUS !== "false") return "";
    return '\n  (and -H "authorization: Bearer $KEY": docs/service/tenants.md says where the key is)';
}

function summary(result: UpResult): string {
    const { deployed, verified, servingSeconds, seconds, look, end } = result;
    const { url, weights, versions } = verified;
    const serving =
        servingSeconds === undefined ? "all along" : `after ${servingSeconds.toFixed(0)} s`;
    const [first, second] = COLOURS.map((colour) => `${colour} ${weights[colour]} %`);
    return `
Up in ${seconds.toFixed(0)} s (serving ${serving}): ${url}
  ${first}, ${second}; ${COLOURS.map((colour) => `${colour} runs ${versions[colour]}`).join(", ")}
  deployed by ${deployed.path}: ${deployed.reason}
  ${deployed.summary}
  a miss took ${verified.missMilliseconds.toFixed(1)} ms, a hit ${verified.hitMilliseconds.toFixed(1)} ms

Try it:
  curl -s ${url}${HTTP_PATHS.embed} -H 'content-type: application/json' \\
    -d '{"text":"Two-bedroom flat near the park"}' -D -
  (add -H '${HEADERS.previewColour}: green' to ask for a colour)${keyHint()}
Look further:
${look.map((line) => `  ${line}`).join("\n")}
  The pods' Redis is ${REDIS_NAME}:${PORTS.redis}.
End it: ${end}`;
}
