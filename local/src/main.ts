import { COLOURS, HEADERS, PATHS as HTTP_PATHS, REDIS_NAME } from "@property-search/contract";
import { ClusterError, RenderError, VerifyError } from "@property-search/deploy";
import { Command } from "commander";
import { rm } from "node:fs/promises";
import { takeLock } from "./lock.ts";
import { removeNode } from "./node/remove.ts";
import { KUBECONFIG } from "./node/start.ts";
import { PATHS } from "./paths.ts";
import { LocalError } from "./shell.ts";
import { kubectlPath, up, type UpResult } from "./up.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
        interrupted.abort(
            new LocalError("interrupted; what is done is kept, run make up again to go on"),
        );
    });
}

const program = new Command("local").description("The platform on this machine");

program.command("up").description("set everything up and run it").action(locked(runUp));
program.command("down").description("leave nothing behind").action(locked(runDown));

program.parseAsync().catch((error: unknown) => {
    const reason: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error;
    // These are sentences for the user; anything else is a fault of ours and keeps its stack.
    const types = [LocalError, ClusterError, RenderError, VerifyError];
    const known = types.some((type) => reason instanceof type);
    console.error(known && reason instanceof Error ? `Error: ${reason.message}` : reason);
    process.exit(1);
});

function locked(action: () => Promise<void>): () => Promise<void> {
    return async () => {
        const giveBack = takeLock(PATHS.lock);
        try {
            await action();
        } finally {
            giveBack();
        }
    };
}

async function runUp(): Promise<void> {
    console.log(summary(await up(interrupted.signal)));
}

async function runDown(): Promise<void> {
    await removeNode();
    await rm(PATHS.node, { recursive: true, force: true });
    console.log("Down: no process, mount, namespace, link or cgroup is left; the caches are kept.");
}

function summary(result: UpResult): string {
    const { deployed, verified, servingSeconds, seconds } = result;
    const { url, weights, versions } = verified;
    const [first, second] = COLOURS.map((colour) => `${colour} ${weights[colour]} %`);
    return `
Up in ${seconds.toFixed(0)} s (serving after ${servingSeconds.toFixed(0)} s): ${url}
  ${first}, ${second}; ${COLOURS.map((colour) => `${colour} runs ${versions[colour]}`).join(", ")}
  deployed by ${deployed.path}: ${deployed.reason}
  ${deployed.summary}
  a miss took ${verified.missMilliseconds.toFixed(1)} ms, a hit ${verified.hitMilliseconds.toFixed(1)} ms

Try it:
  curl -s ${url}${HTTP_PATHS.embed} -H 'content-type: application/json' \\
    -d '{"text":"Two-bedroom flat near the park"}' -D -
  (add -H '${HEADERS.previewColour}: green' to ask for a colour)
Look further:
  export KUBECONFIG=${KUBECONFIG}
  ${kubectlPath(result)} get pods -A
  The pods' Redis is ${REDIS_NAME}:6379. Network policies are declared, but this node enforces none.
End it: make down`;
}
