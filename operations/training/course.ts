import { invalidValue, UserError } from "@property-search/contract";
import { clusterId } from "../deploy/binding.ts";
import { assertMayDisturb, isLocalCluster } from "../rehearse/clusterGuard.ts";
import { lockCluster } from "../rehearse/clusterLock.ts";
import {
    readState,
    requireAllClosed,
    stateFile,
    writeState,
    type CourseState,
    type ExerciseRecord,
} from "../rehearse/courseState.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import { badPod } from "./badPod.ts";
import { badRelease } from "./badRelease.ts";
import type { Exercise, ExerciseTarget } from "./exercise.ts";
import { leakedKey } from "./leakedKey.ts";
import { pausedScaling } from "./pausedScaling.ts";
import { redisGone } from "./redisGone.ts";

/** The exercises, whose numbers start at 1. */
export const EXERCISES: readonly Exercise[] = [
    badPod,
    badRelease,
    redisGone,
    leakedKey,
    pausedScaling,
];

export interface CourseOptions extends ExerciseTarget {
    /** Context of a cluster to disturb that is not local. */
    readonly confirm?: string | undefined;
    /** Folder of the course's state. Default: below the user's state folder */
    readonly folder?: string;
}

/** @throws UserError for a number that is not one of an exercise */
export function parseExercise(text: string): number {
    const number = Number(text);
    if (Number.isInteger(number) && EXERCISES[number - 1] !== undefined) return number;
    throw unknownExercise(text);
}

export function unknownExercise(text: string): UserError {
    return invalidValue("EXERCISE", text, `1 to ${EXERCISES.length}`);
}

/** @returns a line per exercise with its state */
export async function listExercises(options: CourseOptions): Promise<string[]> {
    const state = await readState(await stateFileOf(options));
    return EXERCISES.map(({ title }, index) => {
        const record = state[String(index + 1)];
        const words =
            record === undefined
                ? "not started"
                : record.solvedAt !== undefined
                  ? `solved at ${record.solvedAt}`
                  : `started at ${record.startedAt}, not solved`;
        return `${index + 1}. ${title}: ${words}`;
    });
}

/**
 * Puts the fault of an exercise into the cluster.
 *
 * @throws UserError while another exercise is not solved or reset, or something else disturbs the cluster
 */
export async function startExercise(number: number, options: CourseOptions): Promise<void> {
    const { cluster, confirm } = options;
    const command = `make training EXERCISE=${number}`;
    assertMayDisturb(
        { cluster, command, confirm, localOnly: false },
        await isLocalCluster(cluster),
    );
    await withClusterLock(command, options, () => setUpExercise(number, options));
}

/** Runs a step of an exercise while no other command disturbs the cluster. */
async function withClusterLock<T>(
    command: string,
    { cluster }: CourseOptions,
    step: () => Promise<T>,
): Promise<T> {
    const release = await lockCluster(await clusterId(cluster), command, "exercise");
    try {
        return await step();
    } finally {
        await release();
    }
}

async function setUpExercise(number: number, options: CourseOptions): Promise<void> {
    const { cluster } = options;
    const exercise = exerciseOf(number);
    const file = await stateFileOf(options);
    const state = await readState(file);
    requireAllClosed(state);
    const found = await readSwitch(cluster);
    if (isUnderWay(found))
        throw new UserError(`switch ${found.id} is in progress; complete it first`);
    const startedAt = new Date().toISOString();
    const saved = await exercise.prepare(options);
    const record = { startedAt, saved };
    await writeState(file, { ...state, [number]: { ...record, isSetUp: false } });
    await exercise.setUp(options, saved as never);
    await writeState(file, { ...state, [number]: { ...record, isSetUp: true } });
}

/**
 * @returns what is still wrong; empty if the exercise is solved
 * @throws UserError while another command disturbs the cluster, whose faults would count
 */
export function checkExercise(number: number, options: CourseOptions): Promise<readonly string[]> {
    const command = `make training EXERCISE=${number} CHECK=1`;
    return withClusterLock(command, options, () => checkStarted(number, options));
}

async function checkStarted(number: number, options: CourseOptions): Promise<readonly string[]> {
    const file = await stateFileOf(options);
    const state = await readState(file);
    const record = requireStarted(number, state);
    if (!record.isSetUp)
        throw new UserError(
            `the start of exercise ${number} did not end, so there is nothing to solve; ` +
                `put it back by make training EXERCISE=${number} RESET=1, then start it again`,
        );
    const exercise = exerciseOf(number);
    const problems = await exercise.check(options, record.saved as never);
    if (problems.length > 0 || record.solvedAt !== undefined) return problems;
    // Removes what the fault has left where clients do not see it.
    await exercise.reset(options, record.saved as never);
    const solvedAt = new Date().toISOString();
    await writeState(file, { ...state, [number]: { ...record, solvedAt } });
    return [];
}

/**
 * Restores the state before the exercise, solved or not, and forgets it.
 *
 * @throws UserError while another command disturbs the cluster
 */
export function resetExercise(number: number, options: CourseOptions): Promise<void> {
    const command = `make training EXERCISE=${number} RESET=1`;
    return withClusterLock(command, options, () => restoreExercise(number, options));
}

async function restoreExercise(number: number, options: CourseOptions): Promise<void> {
    const file = await stateFileOf(options);
    const { [String(number)]: record, ...others } = await readState(file);
    if (record === undefined) return;
    if (record.solvedAt === undefined)
        await exerciseOf(number).reset(options, record.saved as never);
    await writeState(file, others);
}

export function exerciseOf(number: number): Exercise {
    const exercise = EXERCISES[number - 1];
    if (exercise) return exercise;
    throw unknownExercise(String(number));
}

function requireStarted(number: number, state: CourseState): ExerciseRecord {
    const record = state[String(number)];
    if (record !== undefined) return record;
    throw new UserError(
        `exercise ${number} has not been started on this cluster; run make training EXERCISE=${number}`,
    );
}

async function stateFileOf({ cluster, folder }: CourseOptions): Promise<string> {
    return stateFile(await clusterId(cluster), folder);
}
