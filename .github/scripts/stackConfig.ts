import { readFileSync } from "node:fs";
import type { Script } from "./github.ts";

const MAIN = "main";

const fileOf = (stack: string) => `Pulumi.${stack}.yaml`;
const branchOf = (stack: string) => `stack-config/${stack}`;

/**
 * Rejects a deploy while the config changes of the last one are not merged. A release writes its final weights into
 * the checkout's config only, so a deploy from main would revert the traffic.
 */
export async function requireMerged(script: Script, stack: string): Promise<void> {
    const number = await findOpenPullRequest(script, stack);
    if (number === undefined) return;
    throw new Error(
        `#${number} holds the changes of the last deploy to ${fileOf(stack)}: merge it, then deploy again`,
    );
}

/** Opens a pull request with the stack's config if the deploy has changed it. */
export async function proposeConfigChange(script: Script, stack: string): Promise<void> {
    const { github, context } = script;
    const { rest } = github;
    const [path, branch] = [fileOf(stack), branchOf(stack)];
    const text = readFileSync(path, "utf8");
    const { data } = await rest.repos.getContent({ ...context.repo, path, ref: context.sha });
    if (Buffer.from(data.content, "base64").toString() === text) return;
    const heads = `heads/${branch}`;
    // The branch of an earlier deploy, whose pull request was merged or closed.
    await rest.git.deleteRef({ ...context.repo, ref: heads }).catch(() => undefined);
    await rest.git.createRef({ ...context.repo, ref: `refs/${heads}`, sha: context.sha });
    const title = `Update ${path} after the deploy of ${context.sha.slice(0, 7)}`;
    await rest.repos.createOrUpdateFileContents({
        ...context.repo,
        path,
        branch,
        message: title,
        content: Buffer.from(text).toString("base64"),
        sha: data.sha,
    });
    const body = `Current weights and versions of ${stack}. The next deploy of ${stack} is rejected until this is merged.`;
    await rest.pulls.create({ ...context.repo, title, body, head: branch, base: MAIN });
}

async function findOpenPullRequest(script: Script, stack: string): Promise<number | undefined> {
    const { github, context } = script;
    const head = `${context.repo.owner}:${branchOf(stack)}`;
    const { data } = await github.rest.pulls.list({ ...context.repo, head, state: "open" });
    return data[0]?.number;
}
