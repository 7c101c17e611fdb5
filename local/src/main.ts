import {
    COLOURS,
    HEADERS,
    PATHS as HTTP_PATHS,
    PORTS,
    REDIS_NAME,
    runCommand,
} from "@property-search/contract";
import { acquireFileLock } from "@property-search/operations/stack/fileLock.ts";
import { Command } from "commander";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { removeClusters } from "./down.ts";
import { removeKindCluster } from "./kind/cluster.ts";
import { clusterNodes, findEngine } from "./kind/engine.ts";
import { removeOwnImages } from "./kind/images.ts";
import { removePulumiState } from "./node/pulumiState.ts";
import { findForeignNode, removeNode } from "./node/remove.ts";
import { killOrphans, markProcess } from "./orphans.ts";
import { PATHS } from "./paths.ts";
import { LocalError, logFile, type Step } from "./shell.ts";
import { restart } from "./restart.ts";
import { status } from "./status.ts";
import { buildActionlint } from "./toolchain/actionlint.ts";
import { certificateTools } from "./toolchain/certificates.ts";
import { pulumiCli } from "./toolchain/pulumi.ts";
import { up, type UpResult } from "./up.ts";

/** A killed process needs a moment to end. */
const KILLED_MILLISECONDS = 2_000;

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not once: signal-exit, which the task list uses, exits a process that has only its own listeners.
    process.on(signal, () => {
        if (interrupted.signal.aborted) process.exit(130);
        interrupted.abort(
            new LocalError("interrupted; finished steps are kept. Run make up again to resume"),
        );
    });
}

const program = new Command("local").description("Runs the platform on this machine");

program
    .command("up")
    .description("set up and start the platform")
    .option("--context <name>", "context of an existing cluster; default: a local cluster")
    .option("--stack <name>", "stack for an existing cluster; default: the one it has")
    .action(locked(runUp));
program
    .command("down")
    .description("remove the platform from this machine")
    .action(locked(runDown));
program
    .command("restart-node")
    .description("end the node of the local cluster without warning, and start it with its data")
    .action(locked(() => restart({ signal: interrupted.signal, report: console.log })));
toolCommand(
    "pulumi-cli",
    "build the Pulumi CLI for tests if it is not on PATH; print its path",
    pulumiCli,
);
toolCommand("actionlint", "build the linter of GitHub workflows; print its path", async (step) => {
    return `actionlint is in ${await buildActionlint(step)}`;
});
toolCommand(
    "certificate-tools",
    "build the tools for certificate tests; print their paths",
    async (step) => {
        const { helm, chart } = await certificateTools(step);
        return `Helm is in ${helm}, cert-manager's chart in ${chart}`;
    },
);
program
    .command("status")
    .description("show the state of the local cluster")
    .action(async () => {
        console.log(await status());
    });

await runCommand(program, interrupted);
// Child processes would keep the process alive.
if (process.exitCode === 1) process.exit();

/** Adds a command that builds a tool and prints where it is. */
function toolCommand(
    name: string,
    description: string,
    build: (step: Step) => Promise<string>,
): void {
    program
        .command(name)
        .description(description)
        .action(async () => {
            console.log(await build(newStep(name)));
        });
}

function newStep(name: string): Step {
    return { log: logFile(name), signal: interrupted.signal, report: console.log };
}

function locked<T>(action: (options: T) => Promise<void>): (options: T) => Promise<void> {
    return async (options) => {
        const release = await acquireFileLock(PATHS.lock, "another make up or make down", {
            waitMilliseconds: KILLED_MILLISECONDS,
        });
        killOrphans(PATHS.lock);
        markProcess(PATHS.lock);
        try {
            await action(options);
        } finally {
            await release();
        }
    };
}

async function runUp(options: { context?: string; stack?: string }): Promise<void> {
    console.log(summary(await up({ ...options, signal: interrupted.signal })));
}

async function runDown(): Promise<void> {
    const kind = await removeClusters({ nodeOfAnother: findForeignNode, removeNode, removeKind });
    await rm(PATHS.node, { recursive: true, force: true });
    await removePulumiState();
    console.log(
        kind ??
            "Down: removed all processes, mounts, namespaces, links and cgroups; kept the caches.",
    );
}

/** @returns a message about what remains of kind; undefined if there was no kind cluster */
async function removeKind(): Promise<string | undefined> {
    const engine = await findEngine();
    if (engine === undefined) {
        if (!existsSync(PATHS.kind)) return undefined;
        throw new LocalError(
            "cannot remove the kind cluster: no container engine responds (docker, podman, nerdctl); " +
                "start it, then run make down again",
        );
    }
    const step = newStep("down");
    const existed = (await clusterNodes(engine)).length > 0;
    await removeKindCluster(step, engine);
    await removeOwnImages(step, engine);
    return existed
        ? `Down: removed all of its containers, volumes and images; ${engine} keeps kind's node image and network, ` +
              "and its build cache."
        : undefined;
}

/** A hint for stacks that require an API key. */
function keyHint(): string {
    if (process.env.ANONYMOUS !== "false") return "";
    return '\n  (add -H "authorization: Bearer $KEY"; docs/service/tenants.md explains where to get the key)';
}

/** Where to look, with a minute's figures after the first minute. */
function impactHint(page: UpResult["verified"]["page"]): string {
    if (page === undefined) return "";
    const command = "make impact prints the token to log in";
    return page.url === undefined
        ? "\nSavings of the cache: make impact\n"
        : `\nSavings of the cache: ${page.url} (${command})\n`;
}

function exampleHint(url: string | undefined): string {
    return url === undefined ? "" : `\nSearch for a home, as a client of the service: ${url}\n`;
}

function summary(result: UpResult): string {
    const { deployed, verified, servingSeconds, seconds, nextSteps, teardownCommand } = result;
    const { url, weights, versions, page, exampleUrl } = verified;
    const serving =
        servingSeconds === undefined ? "throughout" : `after ${servingSeconds.toFixed(0)} s`;
    const [first, second] = COLOURS.map((colour) => `${colour} ${weights[colour]} %`);
    return `
Up in ${seconds.toFixed(0)} s (serving ${serving}): ${url}
  ${first}, ${second}; ${COLOURS.map((colour) => `${colour} runs ${versions[colour]}`).join(", ")}
  deployed by ${deployed.method}: ${deployed.reason}
  ${deployed.summary}
  a miss takes ${verified.missMilliseconds.toFixed(1)} ms, a hit ${verified.hitMilliseconds.toFixed(1)} ms
${impactHint(page)}${exampleHint(exampleUrl)}
Try it:
  curl -s ${url}${HTTP_PATHS.embed} -H 'content-type: application/json' \\
    -d '{"text":"Two-bedroom flat near the park"}' -D -
  (add -H '${HEADERS.previewColour}: green' to select a colour)${keyHint()}
Next steps:
${nextSteps.map((line) => `  ${line}`).join("\n")}
  The pods use Redis at ${REDIS_NAME}:${PORTS.redis}.
Tear down: ${teardownCommand}`;
}
