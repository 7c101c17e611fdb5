import { invalidValue, UserError } from "@property-search/contract";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { clusterId } from "../deploy/binding.ts";
import { assertMayDisturb, isLocalCluster } from "../rehearse/clusterGuard.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import { userStateFolder } from "../stack/stateFolder.ts";
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

/** State of an exercise on one cluster, which survives the process. */
interface ExerciseRecord {
    /** ISO 8601. */
    readonly startedAt: string;
    /** What the exercise saved before its set-up. */
    readonly saved: unknown;
    /** Whether the fault is in the cluster: before, its check would find nothing wrong. */
    readonly isSetUp: boolean;
    /** Absent: not solved. ISO 8601. */
    readonly solvedAt?: string;
}

type CourseState = Readonly<Record<string, ExerciseRecord>>;

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
    const state = await readState(await stateFile(options));
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

/** Puts the fault of an exercise into the cluster. @throws UserError while another exercise is not solved or reset */
export async function startExercise(number: number, options: CourseOptions): Promise<void> {
    const { cluster, confirm } = options;
    const exercise = exerciseOf(number);
    const command = `make training EXERCISE=${number}`;
    assertMayDisturb(
        { cluster, command, confirm, localOnly: false },
        await isLocalCluster(cluster),
    );
    const file = await stateFile(options);
    const state = await readState(file);
    const open = Object.entries(state).find(([, record]) => record.solvedAt === undefined);
    if (open) {
        const other = open[0];
        throw new UserError(
            `exercise ${other} has been started and is not solved; solve it and run make training EXERCISE=${other} CHECK=1, ` +
                `or put it back by make training EXERCISE=${other} RESET=1`,
        );
    }
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

/** @returns what is still wrong; empty if the exercise is solved */
export async function checkExercise(
    number: number,
    options: CourseOptions,
): Promise<readonly string[]> {
    const file = await stateFile(options);
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

/** Restores the state before the exercise, solved or not, and forgets it. */
export async function resetExercise(number: number, options: CourseOptions): Promise<void> {
    const file = await stateFile(options);
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

async function stateFile({ cluster, folder }: CourseOptions): Promise<string> {
    const base = folder ?? path.join(userStateFolder(), "training");
    return path.join(base, `${await clusterId(cluster)}.json`);
}

async function readState(file: string): Promise<CourseState> {
    const text = await readFile(file, "utf8").catch(() => "{}");
    try {
        return JSON.parse(text) as CourseState;
    } catch {
        throw new UserError(`${file} is damaged; delete it, then run make up`);
    }
}

async function writeState(file: string, state: CourseState): Promise<void> {
    if (Object.keys(state).length === 0) {
        await rm(file, { force: true });
        return;
    }
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    // It contains the leaked key.
    await writeFile(`${file}.part`, JSON.stringify(state), { mode: 0o600 });
    await rename(`${file}.part`, file);
}
