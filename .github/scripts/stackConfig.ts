import { readFileSync } from "node:fs";
import type { Script } from "./github.ts";

const MAIN = "main";

const fileOf = (stack: string) => `Pulumi.${stack}.yaml`;
const branchOf = (stack: string) => `stack-config/${stack}`;

/**
 * A release writes the weights that it ends with into the stack's config, which is the checkout's alone. A deploy
 * from main before they are merged would take the traffic back.
 */
export async function refuseUnmerged(script: Script, stack: string): Promise<void> {
    const number = await proposed(script, stack);
    if (number === undefined) return;
    throw new Error(
        `#${number} has what the last deploy wrote into ${fileOf(stack)}: merge it first, then deploy`,
    );
}

/** Opens a pull request with the stack's config, where a deploy has changed it. */
export async function propose(script: Script, stack: string): Promise<void> {
    const { github, context } = script;
    const { rest } = github;
    const [path, branch] = [fileOf(stack), branchOf(stack)];
    const text = readFileSync(path, "utf8");
    const { data } = await rest.repos.getContent({ ...context.repo, path, ref: context.sha });
    if (Buffer.from(data.content, "base64").toString() === text) return;
    const heads = `heads/${branch}`;
    // Of an earlier deploy, whose pull request was merged or closed.
    await rest.git.deleteRef({ ...context.repo, ref: heads }).catch(() => undefined);
    await rest.git.createRef({ ...context.repo, ref: `refs/${heads}`, sha: context.sha });
    const title = `${path}: what the deploy of ${context.sha.slice(0, 7)} wrote`;
    await rest.repos.createOrUpdateFileContents({
        ...context.repo,
        path,
        branch,
        message: title,
        content: Buffer.from(text).toString("base64"),
        sha: data.sha,
    });
    const body = `Weights and versions that ${stack} has now. Until this is merged, the next deploy of ${stack} is refused.`;
    await rest.pulls.create({ ...context.repo, title, body, head: branch, base: MAIN });
}

async function proposed(script: Script, stack: string): Promise<number | undefined> {
    const { github, context } = script;
    const head = `${context.repo.owner}:${branchOf(stack)}`;
    const { data } = await github.rest.pulls.list({ ...context.repo, head, state: "open" });
    return data[0]?.number;
}
