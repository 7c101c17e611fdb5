import { makeFolder, UserError } from "@property-search/contract";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { replaceFile } from "../shared/replaceFile.ts";
import { SCHEMA, STEPS, type Evidence, type Origin, type StepName } from "./criteria.ts";

/** Evidence that is older is measured again. */
const MAX_AGE_HOURS = 6;
/** Steps that measure no cluster. */
const WITHOUT_CLUSTER: readonly StepName[] = ["day", "documents"];

/** What a run measures. */
export type Subject = Pick<Evidence, "commit" | "quick" | "cluster">;

export interface Store {
    readonly folder: string;
    /** Whether evidence is of this commit, mode and cluster, and neither too old nor of a clock that was ahead. */
    readonly isCurrent: (evidence: Evidence) => boolean;
    /** Current evidence of a step that ran and lacks nothing, so that an interrupted run resumes. */
    readonly readUsable: (step: StepName) => Evidence | undefined;
    /** The newest evidence of each step, whatever its commit. */
    readonly readAll: () => ReadonlyMap<StepName, Evidence>;
    readonly write: (evidence: Evidence) => void;
    readonly writeText: (name: string, text: string) => void;
}

export function createStore(folder: string, run: Subject): Store {
    makeFolder("OUT", folder);
    /** Evidence of another version of the format does not count. */
    const read = (step: StepName): Evidence | undefined => {
        const file = path.join(folder, `${step}.json`);
        if (!existsSync(file)) return undefined;
        const evidence = parse(file);
        const { schema }: { schema: string } = evidence;
        return schema === SCHEMA ? evidence : undefined;
    };
    const writeText = (name: string, text: string): void =>
        replaceFile(path.join(folder, name), text);
    const isCurrent = (evidence: Evidence): boolean =>
        evidence.quick === run.quick &&
        isRecent(evidence, run, !WITHOUT_CLUSTER.includes(evidence.step));
    return {
        folder,
        isCurrent,
        readUsable: (step) => {
            const known = read(step);
            if (!known || known.failure !== undefined || !isCurrent(known)) return undefined;
            const findings = Object.values(known.findings);
            return findings.some(({ verdict }) => verdict === "not measured") ? undefined : known;
        },
        readAll: () =>
            new Map(
                STEPS.flatMap((step) => {
                    const known = read(step);
                    return known ? [[step, known] as const] : [];
                }),
            ),
        write: (evidence) => {
            writeText(`${evidence.step}.json`, `${JSON.stringify(evidence, undefined, 2)}\n`);
        },
        writeText,
    };
}

/** Whether evidence is of this commit and, if it measures one, cluster, and neither too old nor of a clock that was ahead. */
export function isRecent(
    { commit, cluster, begun }: Origin,
    run: Subject,
    needsCluster = true,
): boolean {
    const hours = (Date.now() - Date.parse(begun)) / 3_600_000;
    const isSame = !needsCluster || (cluster !== undefined && cluster === run.cluster);
    return commit === run.commit && isSame && hours >= 0 && hours < MAX_AGE_HOURS;
}

function parse(file: string): Evidence {
    try {
        const read = JSON.parse(readFileSync(file, "utf8")) as Evidence | null;
        if (typeof read?.findings === "object") return read;
        throw new Error("it has no findings");
    } catch (error) {
        throw new UserError(`${file} is no evidence: ${String(error)}; remove it to measure again`);
    }
}
