import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import {
    checkExercise,
    exerciseOf,
    listExercises,
    parseExercise,
    resetExercise,
    startExercise,
    unknownExercise,
    type CourseOptions,
} from "../training/course.ts";
import {
    connectTarget,
    interruption,
    report,
    withDisturbOptions,
    withInterruptMessage,
    type DisturbTarget,
} from "./target.ts";

interface TrainingFlags extends DisturbTarget {
    readonly exercise?: number;
    readonly check: boolean;
    readonly reset: boolean;
}

/** The operators' training course. */
export function addTrainingCommands(program: Command): void {
    withInterruptMessage(
        withDisturbOptions(program.command("training")),
        "interrupted; put the exercise back by RESET=1, then start it again",
    )
        .description("list, start, check or reset exercises of docs/training.md")
        .option("--exercise <number>", "number of the exercise; default: list them", parseExercise)
        .option("--check", "verify that it is solved, and say what is still wrong", false)
        .option("--reset", "put everything back as before the exercise", false)
        .action(async ({ exercise, check, reset, confirm, ...target }: TrainingFlags) => {
            if (check && reset)
                throw new UserError("CHECK and RESET are both set; allowed: one of them");
            if (exercise === undefined && (check || reset)) throw unknownExercise("");
            const { signal } = interruption;
            const options = { ...(await connectTarget(target)), confirm, report, signal };
            if (exercise === undefined) await printCourse(options);
            else if (check) await printCheck(exercise, options);
            else if (reset) {
                await resetExercise(exercise, options);
                console.log(`Exercise ${exercise} is put back`);
            } else {
                report("setting up");
                await startExercise(exercise, options);
                const { title, situation } = exerciseOf(exercise);
                console.log(`
Exercise ${exercise}: ${title}

${situation}

Hints: docs/training.md. When you are done: make training EXERCISE=${exercise} CHECK=1`);
            }
        });
}

async function printCourse(options: CourseOptions): Promise<void> {
    console.log("make training EXERCISE=1 starts, CHECK=1 verifies, RESET=1 puts back\n");
    for (const line of await listExercises(options)) console.log(`  ${line}`);
}

async function printCheck(exercise: number, options: CourseOptions): Promise<void> {
    const problems = await checkExercise(exercise, options);
    if (problems.length === 0) {
        console.log(`Exercise ${exercise} is solved`);
        return;
    }
    console.log(`Exercise ${exercise} is not solved yet:`);
    for (const problem of problems) console.log(`  - ${problem}`);
    process.exitCode = 2;
}
