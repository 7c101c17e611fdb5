import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "../../local/src/paths.ts";
import { kubernetesFolder } from "../../local/src/toolchain/programs.ts";
import { stackOfCluster } from "../../operations/deploy/binding.ts";
import {
    checkExercise,
    EXERCISES,
    resetExercise,
    startExercise,
    type CourseOptions,
} from "../../operations/training/course.ts";
import { bothColoursReady, openCluster } from "./cluster.ts";
import { makeTemporaryFolder } from "./temporaryFolder.ts";

/** Exercises that wait for no alert and no rollout: they take seconds. The others take minutes each. */
export const SHORT_EXERCISES: readonly number[] = [1, 5];
export const LONG_EXERCISES = EXERCISES.map((_, index) => index + 1).filter(
    (number) => !SHORT_EXERCISES.includes(number),
);

const cluster = openCluster();
let options: CourseOptions;
let page: string;
let commandPath: string;

/** Plays exercises of docs/training.md: a set-up breaks something, and the documented commands repair it. */
export function playExercises(numbers: readonly number[]): void {
    beforeAll(async () => {
        await bothColoursReady(cluster);
        page = await readFile(path.join(REPOSITORY, "docs/training.md"), "utf8");
        // kind's users have kubectl; the node of this machine brings its own.
        commandPath = [await kubernetesFolder(), process.env.PATH].join(path.delimiter);
        options = {
            cluster,
            stack: (await stackOfCluster(cluster)) ?? "local",
            confirm: cluster.context,
            signal: undefined,
            report: () => undefined,
            folder: makeTemporaryFolder(),
        };
    }, 180_000);

    afterAll(async () => {
        await rm(options.folder ?? "", { recursive: true, force: true });
        await bothColoursReady(cluster);
    }, 300_000);

    describe.each(numbers)("exercise %s", (number) => {
        // One that has failed must not fail the others.
        afterAll(() => resetExercise(number, options), 300_000);

        test("fails its check after the set-up, and passes after the documented solution", async () => {
            await startExercise(number, options);
            expect(await checkExercise(number, options)).not.toEqual([]);
            for (const command of solutionOf(number)) await run(command);
            expect(await checkExercise(number, options)).toEqual([]);
        }, 480_000);
    });
}

/** Commands of the block `sh` of an exercise. */
function solutionOf(number: number): string[] {
    const [, section = ""] = page.split(`\n## Exercise ${number}\n`);
    const commands = /```sh\n([^]*?)```/.exec(section.split("\n## ")[0] ?? "")?.[1] ?? "";
    expect(commands).not.toBe("");
    return commands.trim().split("\n");
}

async function run(command: string): Promise<void> {
    await promisify(execFile)("bash", ["--norc", "-euo", "pipefail", "-c", command], {
        cwd: REPOSITORY,
        env: {
            ...process.env,
            PATH: commandPath,
            KUBECONFIG: cluster.kubeconfig,
            NODE_OPTIONS: "",
        },
    });
}
