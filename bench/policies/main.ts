import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { FAULTS } from "../../policies/rules/faults.ts";
import { readManifests } from "../../policies/manifests.ts";
import { manifestsOf } from "./thirdParty/modules.ts";
import { PROJECTS } from "./thirdParty/projects.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { contest, secondsOf, type Entrant, type Subject } from "./contest.ts";
import { BenchError, type Peer } from "./peer.ts";
import { checkov } from "./peers/checkov.ts";
import { kubeScore, kubeScoreOptional } from "./peers/kubeScore.ts";
import { pack, packUnset } from "./peers/pack.ts";
import { pulumiCompliance } from "./peers/pulumi.ts";
import { objectsIn, page, type Result } from "./report.ts";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
const RESULT = path.join(REPOSITORY, "bench/results/policies.json");
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
        const { entrants, missing } = await open(PEERS);
        try {
            const seconds = timesOf(entrants, stack);
            const clean = [...stacks, ...projects];
            const { mutants, standings } = await contest(entrants, FAULTS, stack, clean, say);
            const result: Result = {
                name: "policies",
                finished: new Date().toISOString(),
                commit: commit(),
                machine: machine(),
                stack: stack.name,
                mutants,
                standings: standings.map((one, at) => ({ ...one, seconds: seconds[at] })),
                stacks: objectsIn(stacks),
                projects: objectsIn(projects),
                missing,
            };
            mkdirSync(path.dirname(RESULT), { recursive: true });
            writeFileSync(RESULT, `${JSON.stringify(result, undefined, 2)}\n`);
            writeFileSync(PAGE, page(result));
            console.log(page(result));
            console.log(`All figures: ${path.relative(process.cwd(), RESULT)}`);
        } finally {
            for (const { checker } of entrants) checker.close();
        }
    });

async function stackOf(file: string): Promise<Subject> {
    const name = path.basename(file, ".json");
    const objects = (await readManifests(file)).map(({ body }) => body);
    return { name, objects, policies: policiesOf(name) };
}

async function open(peers: readonly Peer[]) {
    const entrants: Entrant[] = [];
    const missing: string[] = [];
    for (const peer of peers) {
        try {
            entrants.push({ peer, checker: await peer.open(say) });
        } catch (error) {
            if (!(error instanceof BenchError)) throw error;
            say(`Without ${peer.name}: ${error.message}`);
            const [why = ""] = error.message.split("\n");
            missing.push(`Without ${peer.name}: ${why}`);
        }
    }
    return { entrants, missing };
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

function commit(): string {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
        cwd: import.meta.dirname,
        encoding: "utf8",
    }).trim();
}

function machine() {
    const all = cpus();
    return {
        processor: all[0]?.model.trim() ?? "unknown",
        cores: all.length,
        memoryGiB: Math.round(totalmem() / 2 ** 30),
        node: process.version,
    };
}

function say(line: string): void {
    console.error(line);
}

await runCommand(program);
