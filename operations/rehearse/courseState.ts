import { UserError } from "@property-search/contract";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { userStateFolder } from "../stack/stateFolder.ts";

/** State of an exercise on one cluster, which survives the process. */
export interface ExerciseRecord {
    /** ISO 8601. */
    readonly startedAt: string;
    /** What the exercise saved before its set-up. */
    readonly saved: unknown;
    /** Whether the fault is in the cluster: before, its check would find nothing wrong. */
    readonly isSetUp: boolean;
    /** Absent: not solved. ISO 8601. */
    readonly solvedAt?: string;
}

export type CourseState = Readonly<Record<string, ExerciseRecord>>;

/** @param cluster identity of the cluster */
export function stateFile(
    cluster: string,
    folder = path.join(userStateFolder(), "training"),
): string {
    return path.join(folder, `${cluster}.json`);
}

export async function readState(file: string): Promise<CourseState> {
    const text = await readFile(file, "utf8").catch(() => "{}");
    try {
        return JSON.parse(text) as CourseState;
    } catch {
        throw new UserError(`${file} is damaged; delete it, then run make up`);
    }
}

export async function writeState(file: string, state: CourseState): Promise<void> {
    if (Object.keys(state).length === 0) {
        await rm(file, { force: true });
        return;
    }
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    // It contains the leaked key.
    await writeFile(`${file}.part`, JSON.stringify(state), { mode: 0o600 });
    await rename(`${file}.part`, file);
}

/** @throws UserError while an exercise is neither solved nor put back */
export function requireAllClosed(state: CourseState): void {
    const open = Object.entries(state).find(([, record]) => record.solvedAt === undefined);
    if (!open) return;
    const [number] = open;
    throw new UserError(
        `exercise ${number} has been started and is not solved; solve it and run make training EXERCISE=${number} CHECK=1, ` +
            `or put it back by make training EXERCISE=${number} RESET=1`,
    );
}

/** @param cluster identity of the cluster. @throws UserError while one of its exercises is open */
export async function requireNoOpenExercise(cluster: string): Promise<void> {
    requireAllClosed(await readState(stateFile(cluster)));
}
