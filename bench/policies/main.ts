import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { MUTATIONS } from "../../policies/rules/mutations.ts";
import { readManifests } from "../../policies/manifests.ts";
import { fetchManifests } from "./thirdParty/modules.ts";
import { PROJECTS } from "./thirdParty/projects.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { BenchError } from "../shared/benchError.ts";
import { commitId, describeMachine } from "../shared/machine.ts";
import { prepareAll } from "../shared/prepareAll.ts";
import { writeResult } from "../shared/results.ts";
import { compare, timeCommand, type Participant, type Subject } from "./comparison.ts";
import { checkov } from "./peers/checkov.ts";
import { kubeScore, kubeScoreOptional } from "./peers/kubeScore.ts";
import { pack, packWithDefaults } from "./peers/pack.ts";
import { pulumiCompliance } from "./peers/pulumi.ts";
import { countObjects, renderPage, type Result } from "./report.ts";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
const PAGE = path.join(REPOSITORY, "docs/policies-peers.md");
const PEERS = [pack, packWithDefaults, pulumiCompliance, kubeScore, kubeScoreOptional, checkov];

const program = new Command("bench-policies")
    .description("Compares the policy pack with others, on the same mutations and sound manifests")
    .argument(
        "<rendered...>",
        "manifests of the stacks, STACK.json; mutations are injected into the first",
    )
    .action(async (files: string[]) => {
        const stacks = await Promise.all(files.map(readStack));
        const [stack] = stacks;
        if (!stack) throw new BenchError("no manifests given");
        const projects: Subject[] = [];
        for (const project of PROJECTS) {
            const objects = (await fetchManifests(project)).map(({ body }) => body);
            projects.push({ name: project.name, objects, policies: {} });
        }
        const { ready, missing } = await prepareAll(PEERS, (peer) => peer.start(showProgress));
        for (const reason of missing.values()) showProgress(reason);
        const participants: Participant[] = ready.map(([peer, checker]) => ({ peer, checker }));
        try {
            const seconds = timeCommands(participants, stack);
            const sound = [...stacks, ...projects];
            const { mutants, results } = await compare(
                participants,
                MUTATIONS,
                stack,
                sound,
                showProgress,
            );
            const result: Result = {
                name: "policies",
                finished: new Date().toISOString(),
                commit: await commitId(),
                machine: describeMachine(),
                stack: stack.name,
                mutants,
                peers: results.map((one, at) => ({ ...one, seconds: seconds[at] })),
                stacks: countObjects(stacks),
                projects: countObjects(projects),
                missing: [...missing.values()].map((reason) => reason.split("\n")[0] ?? ""),
            };
            writeFileSync(PAGE, renderPage(result));
            console.log(renderPage(result));
            console.log(`All figures: ${writeResult(result)}`);
        } finally {
            for (const { checker } of participants) checker.close();
        }
    });

async function readStack(file: string): Promise<Subject> {
    const name = path.basename(file, ".json");
    const objects = (await readManifests(file)).map(({ body }) => body);
    return { name, objects, policies: readStackPolicies(name) };
}

function timeCommands(
    participants: readonly Participant[],
    { objects }: Subject,
): (number | undefined)[] {
    const folder = mkdtempSync(path.join(tmpdir(), "policies-"));
    try {
        const file = path.join(folder, "stack.yaml");
        const options = { lineWidth: 0, aliasDuplicateObjects: false };
        const yaml = objects.map((one) => `---\n${stringify(one, options)}`);
        writeFileSync(file, yaml.join(""));
        return participants.map(({ peer, checker }) => {
            showProgress(`${peer.name}: command for the stack`);
            return timeCommand(checker, file);
        });
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function showProgress(line: string): void {
    console.error(line);
}

await runCommand(program);
