import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { FAULTS } from "../../policies/rules/faults.ts";
import { readManifests } from "../../policies/manifests.ts";
import { manifestsOf } from "./thirdParty/modules.ts";
import { PROJECTS } from "./thirdParty/projects.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { BenchError } from "../shared/error.ts";
import { commit, machine } from "../shared/machine.ts";
import { prepareAll } from "../shared/prepareAll.ts";
import { writeResult } from "../shared/results.ts";
import { contest, secondsOf, type Entrant, type Subject } from "./contest.ts";
import { checkov } from "./peers/checkov.ts";
import { kubeScore, kubeScoreOptional } from "./peers/kubeScore.ts";
import { pack, packUnset } from "./peers/pack.ts";
import { pulumiCompliance } from "./peers/pulumi.ts";
import { objectsIn, page, type Result } from "./report.ts";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
const PAGE = path.join(REPOSITORY, "docs/policies-peers.md");
const PEERS = [pack, packUnset, pulumiCompliance, kubeScore, kubeScoreOptional, checkov];

const program = new Command("bench")
    .description("The policy pack beside others, on the same faults and the same sound manifests.")
    .argument("<rendered...>", "the stacks' manifests, STACK.json; faults are made in the first")
    .action(async (files: string[]) => {
        const stacks = await Promise.all(files.map(stackOf));
        const [stack] = stacks;
        if (!stack) throw new BenchError("there is no stack");
        const projects: Subject[] = [];
        for (const project of PROJECTS) {
            const objects = (await manifestsOf(project)).map(({ body }) => body);
            projects.push({ name: project.name, objects, policies: {} });
        }
        const { ready, missing } = await prepareAll(PEERS, (peer) => peer.open(say));
        for (const reason of missing.values()) say(reason);
        const entrants: Entrant[] = ready.map(([peer, checker]) => ({ peer, checker }));
        try {
            const seconds = timesOf(entrants, stack);
            const clean = [...stacks, ...projects];
            const { mutants, standings } = await contest(entrants, FAULTS, stack, clean, say);
            const result: Result = {
                name: "policies",
                finished: new Date().toISOString(),
                commit: await commit(),
                machine: machine(),
                stack: stack.name,
                mutants,
                standings: standings.map((one, at) => ({ ...one, seconds: seconds[at] })),
                stacks: objectsIn(stacks),
                projects: objectsIn(projects),
                missing: [...missing.values()].map((reason) => reason.split("\n")[0] ?? ""),
            };
            writeFileSync(PAGE, page(result));
            console.log(page(result));
            console.log(`All figures: ${writeResult(result)}`);
        } finally {
            for (const { checker } of entrants) checker.close();
        }
    });

async function stackOf(file: string): Promise<Subject> {
    const name = path.basename(file, ".json");
    const objects = (await readManifests(file)).map(({ body }) => body);
    return { name, objects, policies: policiesOf(name) };
}

function timesOf(entrants: readonly Entrant[], { objects }: Subject): (number | undefined)[] {
    const folder = mkdtempSync(path.join(tmpdir(), "policies-"));
    try {
        const file = path.join(folder, "stack.yaml");
        const options = { lineWidth: 0, aliasDuplicateObjects: false };
        const yaml = objects.map((one) => `---\n${stringify(one, options)}`);
        writeFileSync(file, yaml.join(""));
        return entrants.map(({ peer, checker }) => {
            say(`${peer.name}: its command over the stack`);
            return secondsOf(checker, file);
        });
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function say(line: string): void {
    console.error(line);
}

await runCommand(program);
